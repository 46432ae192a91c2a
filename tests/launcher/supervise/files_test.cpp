#include "launcher/supervise/files.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <gmock/gmock.h>

#include "tests/launcher/supervise/supervisor_folder.h"

namespace weft::test {
namespace {

using testing::UnorderedElementsAre;

class SupervisorFilesTest : public SupervisorFolderTest {};

TEST_F(SupervisorFilesTest, OnlyWhatTheOwnMpirunLeftIsRemoved) {
  write(session(18812) + "/contact.txt", "629276672.0;tcp://192.0.2.2:60677\n18812\n");
  write(session(18812) + "/1/0/file", "");
  write(session(18813) + "/contact.txt", "629342208.0;tcp://192.0.2.2:60678\n18813\n");
  for (const char* job : {"25820001.0", "25820001.1", "2582000.1", "258200011.0", "25830001.0"}) write(segment(job), "x");
  write("shm/vader_segment.node08.0.25820001.0", "x");
  write("shm/other", "x");
  EXPECT_THAT(remove_leftovers_of(files(0)),
              UnorderedElementsAre(path(segment("25820001.0")), path(segment("25820001.1")), path(session(18812))));
  EXPECT_TRUE(fs::exists(path(session(18813))));
  for (const char* job : {"2582000.1", "258200011.0", "25830001.0"}) EXPECT_TRUE(fs::exists(path(segment(job)))) << job;
  EXPECT_FALSE(fs::exists(path(session(18812))));
  EXPECT_TRUE(remove_leftovers_of(files(0)).empty());
}

TEST_F(SupervisorFilesTest, ALaterStartKnowsWhatADeadMpirunOfThisHostLeft) {
  const pid_t dead = fork();
  if (dead == 0) _exit(0);
  siginfo_t ended;
  waitid(P_PID, static_cast<id_t>(dead), &ended, WEXITED | WNOWAIT);  // a zombie
  MpirunFiles job = files(1234.5);
  job.mpirun = dead;
  write_mpirun_record(path("record"), job);
  MpirunFiles here = files(0);
  here.tmp_folder = "/elsewhere";
  const auto read = read_mpirun_record(path("record"), here);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->tmp_folder, job.tmp_folder);
  EXPECT_EQ(read->mpirun, dead);
  EXPECT_EQ(read->started, 1234.5);
  waitpid(dead, nullptr, 0);
  EXPECT_TRUE(read_mpirun_record(path("record"), here));
  here.host = "node08";
  EXPECT_FALSE(read_mpirun_record(path("record"), here));
  here.host = job.host;
  job.mpirun = getpid();  // it runs
  write_mpirun_record(path("record"), job);
  EXPECT_FALSE(read_mpirun_record(path("record"), here));
  EXPECT_FALSE(read_mpirun_record(path("no record"), here));
  write("record", "node07.example.org 12");
  EXPECT_FALSE(read_mpirun_record(path("record"), here));
}

TEST_F(SupervisorFilesTest, OlderFilesAndLinksStay) {
  write(session(18812) + "/contact.txt", "629276672.0;tcp://192.0.2.2:60677\n18812\n");
  write(segment("25820001.0"), "x");
  const double tomorrow = static_cast<double>(time(nullptr)) + 86400;
  EXPECT_TRUE(remove_leftovers_of(files(tomorrow)).empty());
  EXPECT_TRUE(fs::exists(path(segment("25820001.0"))));
  write("precious/contact.txt", "629276672.0;\n");
  fs::remove_all(path(session(18812)));
  fs::create_symlink(path("precious"), path(session(18812)));
  EXPECT_TRUE(remove_leftovers_of(files(0)).empty());
  EXPECT_TRUE(fs::exists(path("precious/contact.txt")));
}

}  // namespace
}  // namespace weft::test
