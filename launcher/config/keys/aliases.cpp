#include "launcher/config/keys/aliases.h"

#include <utility>

namespace weft {
namespace {

using Kind = ForeignName::Kind;

ForeignName same(std::string key) {
  return {.kind = Kind::kSame, .key = std::move(key), .expected = {}};
}

ForeignName form(std::string key, std::string expected) {
  return {.kind = Kind::kForm, .key = std::move(key), .expected = std::move(expected)};
}

/// The number of one stack; that of the other stands beside it.
ForeignName encoder(const std::string& key) {
  return form("model." + key, "model: {" + key + ": {encoder: VALUE, decoder: N}}");
}
ForeignName decoder(const std::string& key) {
  return form("model." + key, "model: {" + key + ": {encoder: N, decoder: VALUE}}");
}

ForeignName meaning(std::string key, std::string expected) {
  return {.kind = Kind::kMeaning, .key = std::move(key), .expected = std::move(expected)};
}

}  // namespace

const std::map<std::string, ForeignName>& foreign_names() {
  static const ForeignName both_widths = form("model.hidden_size", "model: {hidden_size: VALUE}, which both stacks have");
  static const ForeignName adam = form("training.adam_beta1", "training: {adam_beta1: A, adam_beta2: B, adam_eps: C}");
  static const ForeignName all_tied = form("model.tied_embeddings", "model: {tied_embeddings: all}; false: none");
  static const ForeignName norm_first = form("model.norm_position", "model: {norm_position: pre}, which both stacks have; false: post");
  static const ForeignName recomputed = form("training.recompute", "training: {recompute: block}; false: none");
  static const ForeignName bf16 = meaning("precision.dtype", "precision.dtype: bf16, which needs no loss scale");
  static const ForeignName batch = meaning("training.batch_size", "training.batch_size = theirs x GPUs x accumulation, less their padding");
  static const ForeignName fit =
      meaning("training.micro_batch_size", "training.micro_batch_size: auto, parallel.memory_limit and data.bucket_size");
  static const ForeignName ranks = meaning("", "no key: the mpirun line decides, mpirun -n 4 weft train --config ...");
  static const std::map<std::string, ForeignName> names = {
      {"dim_emb", same("model.hidden_size")},
      {"word_vec_size", same("model.hidden_size")},
      {"transformer_dim_ffn", same("model.ffn_size")},
      {"transformer_ff", same("model.ffn_size")},
      {"transformer_heads", same("model.num_heads")},
      {"heads", same("model.num_heads")},
      {"heads_kv", same("model.num_kv_heads")},
      {"layers", same("model.num_layers")},
      {"learn_rate", same("training.learning_rate")},
      {"lr", same("training.learning_rate")},
      {"lr_warmup", same("training.warmup_steps")},
      {"warmup_updates", same("training.warmup_steps")},
      {"clip_norm", same("training.max_grad_norm")},
      {"label_smoothing_factor", same("training.label_smoothing")},
      {"optim", same("training.optimizer")},
      {"disp_freq", same("training.report_freq")},
      {"log_interval", same("training.report_freq")},
      {"report_every", same("training.report_freq")},
      {"logging_steps", same("training.report_freq")},
      {"valid_steps", same("validation.valid_freq")},
      {"validate_interval_updates", same("validation.valid_freq")},
      {"eval_steps", same("validation.valid_freq")},
      {"save_interval_updates", same("checkpoint.save_freq")},
      {"save_checkpoint_steps", same("checkpoint.save_freq")},
      {"save_steps", same("checkpoint.save_freq")},
      {"max_update", same("training.train_steps")},
      {"max_steps", same("training.train_steps")},
      {"max_epoch", same("training.max_epochs")},
      {"after_epochs", same("training.max_epochs")},
      {"patience", same("validation.early_stopping")},
      {"save_total_limit", same("checkpoint.keep_checkpoint")},
      {"pretrained_model", same("checkpoint.init_from")},
      {"finetune_from_model", same("checkpoint.init_from")},
      {"joined_dictionary", same("vocab.share_vocab")},
      {"beam", same("decoding.beam_size")},
      {"nbest", same("decoding.n_best")},
      {"lenpen", same("decoding.alpha")},
      {"tensor_model_parallel_size", same("parallel.tensor")},
      {"model_parallel_size", same("parallel.tensor")},

      {"enc_depth", encoder("num_layers")},
      {"encoder_layers", encoder("num_layers")},
      {"encoder_attention_heads", encoder("num_heads")},
      {"encoder_ffn_embed_dim", encoder("ffn_size")},
      {"encoder_embed_dim", both_widths},
      {"encoder_normalize_before", norm_first},
      {"dec_depth", decoder("num_layers")},
      {"decoder_layers", decoder("num_layers")},
      {"decoder_attention_heads", decoder("num_heads")},
      {"decoder_ffn_embed_dim", decoder("ffn_size")},
      {"decoder_embed_dim", both_widths},
      {"decoder_normalize_before", norm_first},
      {"train_sets", form("data.train", "data: {train: [{src: FILE, tgt: FILE}]}")},
      {"valid_sets", form("data.valid", "data: {valid: {src: FILE, tgt: FILE}}")},
      {"vocabs", form("vocab.src", "vocab: {src: FILE, tgt: FILE}")},
      {"after", form("training.train_steps", "training: {train_steps: N}, {max_tokens_seen: N} or {max_epochs: N}; N without u, t, e")},
      {"optimizer_params", adam},
      {"adam_betas", adam},
      {"exponential_smoothing", form("training.ema_decay", "training: {ema_decay: 1 - VALUE}; true: 0.9999")},
      {"tied_embeddings_all", all_tied},
      {"share_all_embeddings", all_tied},
      {"share_decoder_input_output_embed", form("model.tied_embeddings", "model: {tied_embeddings: decoder}; false: none")},
      {"transformer_preprocess", form("model.norm_position", "model: {norm_position: pre} in place of n")},
      {"normalize", form("decoding.length_penalty", "decoding: {length_penalty: avg, alpha: VALUE}")},
      {"bf16", form("precision.dtype", "precision: {dtype: bf16}; false: fp32")},
      {"tf32", form("precision.dtype", "precision: {dtype: fp32} or {dtype: bf16}")},
      {"gradient_checkpointing", recomputed},
      {"checkpoint_activations", recomputed},
      {"use_ckpting", recomputed},
      {"decay_method", form("training.lr_scheduler",
                            "training: {lr_scheduler: inverse_sqrt, learning_rate: PEAK}, where PEAK of noam is "
                            "their factor / sqrt(hidden_size x warmup_steps)")},

      {"fp16", bf16},
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

}  // namespace weft
