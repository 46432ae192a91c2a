#include "launcher/config/keys/aliases.h"

#include <map>

#include "launcher/config/keys/forms.h"

namespace weft {
namespace {

/// The same meaning under another name.
const std::map<std::string, std::string>& same_meaning() {
  static const std::map<std::string, std::string> names = {
      {"dim_emb", "model.hidden_size"},
      {"word_vec_size", "model.hidden_size"},
      {"transformer_dim_ffn", "model.ffn_size"},
      {"transformer_ff", "model.ffn_size"},
      {"transformer_heads", "model.num_heads"},
      {"heads", "model.num_heads"},
      {"heads_kv", "model.num_kv_heads"},
      {"layers", "model.num_layers"},
      {"learn_rate", "training.learning_rate"},
      {"lr", "training.learning_rate"},
      {"lr_warmup", "training.warmup_steps"},
      {"warmup_updates", "training.warmup_steps"},
      {"clip_norm", "training.max_grad_norm"},
      {"label_smoothing_factor", "training.label_smoothing"},
      {"optim", "training.optimizer"},
      {"disp_freq", "training.report_freq"},
      {"log_interval", "training.report_freq"},
      {"report_every", "training.report_freq"},
      {"logging_steps", "training.report_freq"},
      {"valid_steps", "validation.valid_freq"},
      {"validate_interval_updates", "validation.valid_freq"},
      {"eval_steps", "validation.valid_freq"},
      {"save_interval_updates", "checkpoint.save_freq"},
      {"save_checkpoint_steps", "checkpoint.save_freq"},
      {"save_steps", "checkpoint.save_freq"},
      {"max_update", "training.train_steps"},
      {"max_steps", "training.train_steps"},
      {"max_epoch", "training.max_epochs"},
      {"after_epochs", "training.max_epochs"},
      {"patience", "validation.early_stopping"},
      {"save_total_limit", "checkpoint.keep_checkpoint"},
      {"pretrained_model", "checkpoint.init_from"},
      {"finetune_from_model", "checkpoint.init_from"},
      {"joined_dictionary", "vocab.share_vocab"},
      {"beam", "decoding.beam_size"},
      {"nbest", "decoding.n_best"},
      {"lenpen", "decoding.alpha"},
      {"tensor_model_parallel_size", "parallel.tensor"},
      {"model_parallel_size", "parallel.tensor"},
  };
  return names;
}

/// Another meaning under a name that looks familiar; the conversion.
const std::map<std::string, std::string>& other_meaning() {
  static const std::string bf16 = "precision.dtype: bf16, which needs no loss scale";
  static const std::string batch = "training.batch_size = theirs x GPUs x accumulation, less their padding";
  static const std::string fit = "training.micro_batch_size: auto, parallel.memory_limit and data.bucket_size";
  static const std::string ranks = "no key: the mpirun line decides, mpirun -n 4 weft train --config ...";
  static const std::map<std::string, std::string> names = {
      {"loss_scale", bf16},
      {"cost_scaling", bf16},
      {"max_tokens", batch},
      {"mini_batch_words", batch},
      {"per_device_train_batch_size", batch},
      {"update_freq", batch},
      {"optimizer_delay", batch},
      {"gradient_accumulation_steps", batch},
      {"mini_batch_fit", fit},
      {"workspace", fit},
      {"maxi_batch", fit},
      {"devices", ranks},
      {"world_size", ranks},
      {"gpu_ranks", ranks},
      {"cpu_threads", ranks},
  };
  return names;
}

}  // namespace

std::optional<Conversion> translate_name(const std::string& name, const YamlNode& value, const Config& current) {
  if (const auto same = same_meaning().find(name); same != same_meaning().end()) {
    return Conversion{.rewrites = {{same->second, value, same->second}}, .problem = std::nullopt};
  }
  if (const auto other = other_meaning().find(name); other != other_meaning().end()) {
    return Conversion{.rewrites = {},
                      .problem = Problem{.what = "means something else elsewhere, so it is not guessed", .expected = other->second}};
  }
  return translate_form(name, value, current);
}

std::vector<std::pair<std::string, std::string>> foreign_names() {
  std::vector<std::pair<std::string, std::string>> names(same_meaning().begin(), same_meaning().end());
  for (const auto& [name, conversion] : other_meaning()) names.emplace_back(name, "");
  for (const std::string& name : form_names()) names.emplace_back(name, "");
  return names;
}

}  // namespace weft
