# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/models: tiny GPT-2 and Llama models made by Hugging Face transformers, with the
logits, loss, gradients and AdamW losses that PyTorch gets for them.

    python scripts/golden/models_golden.py [OUTPUT_FOLDER]
    python scripts/golden/models_golden.py --check FOLDER...

--check opens folders that Ingot's save_model wrote from the golden models (named like them) and
compares their logits with the golden ones; tests/models/hugging_face_test.cpp writes such folders
where INGOT_SAVED_MODELS says. Versions used are written to versions.json.

Per model: config.json and model.safetensors as save_pretrained writes them, and golden.safetensors:
  ids, targets   int32 [batch, seq]; targets of -1 do not count
  logits         float32 [batch, seq, vocab]
  loss           float32 [1]
  grad.<name>    float32, Conv1D matrices turned to [out, in]
  losses         float32 [10]: loss before each of ten AdamW steps (lr 1e-3, betas 0.9 and 0.999,
                 weight decay 0.01 on matrices and embeddings, none on norms and biases)
"""
import json
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file

VOCAB, CONTEXT, BATCH, SEQ = 97, 33, 2, 31


def gpt2():
    return transformers.GPT2LMHeadModel(transformers.GPT2Config(
        vocab_size=VOCAB, n_positions=CONTEXT, n_embd=20, n_layer=2, n_head=4, n_inner=52,
        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, initializer_range=0.2,
        bos_token_id=0, eos_token_id=0, attn_implementation="eager"))


def llama(tied, kv_heads):
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(
        vocab_size=VOCAB, max_position_embeddings=CONTEXT, hidden_size=24, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=kv_heads, intermediate_size=37,
        rms_norm_eps=1e-5, rope_theta=10000.0, tie_word_embeddings=tied, initializer_range=0.2,
        bos_token_id=0, eos_token_id=0, attn_implementation="eager"))


MODELS = {
    "gpt2": lambda: gpt2(),
    "llama": lambda: llama(False, 2),
    "llama_tied": lambda: llama(True, 4),
}


def is_conv1d(name):
    return name.endswith(("c_attn.weight", "c_proj.weight", "c_fc.weight"))


def loss_of(model, ids, targets):
    logits = model(ids).logits
    loss = torch.nn.functional.cross_entropy(
        logits.reshape(-1, VOCAB), targets.reshape(-1), ignore_index=-1)
    return logits, loss


def write(name, folder):
    torch.manual_seed(7)
    model = MODELS[name]().float().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:  # norms and biases away from one and zero
                parameter.add_(0.1 * torch.randn_like(parameter))
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    for extra in ("generation_config.json",):
        (folder / extra).unlink(missing_ok=True)

    ids = torch.randint(0, VOCAB, (BATCH, SEQ))
    targets = torch.randint(0, VOCAB, (BATCH, SEQ))
    targets[0, :4] = -1
    targets[1, -1] = -1
    logits, loss = loss_of(model, ids, targets)
    loss.backward()
    out = {
        "ids": ids.to(torch.int32),
        "targets": targets.to(torch.int32),
        "logits": logits.detach().contiguous(),
        "loss": loss.detach().reshape(1),
    }
    for key, parameter in model.named_parameters():
        grad = parameter.grad
        out["grad." + key] = (grad.t() if is_conv1d(key) else grad).contiguous().clone()

    groups = [
        {"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": 0.01},
        {"params": [p for p in model.parameters() if p.dim() == 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.999), eps=1e-8)
    losses = []
    for _ in range(10):
        optimizer.zero_grad()
        _, loss = loss_of(model, ids, targets)
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    out["losses"] = torch.tensor(losses)
    save_file(out, folder / "golden.safetensors")
    print(f"{name}: {sum(p.numel() for p in model.parameters())} parameters, losses {losses}")


def check(folder):
    folder = Path(folder)
    golden = load_file(Path(__file__).parents[2] / "tests/golden/models" / folder.name /
                       "golden.safetensors")
    model = transformers.AutoModelForCausalLM.from_pretrained(
        folder, attn_implementation="eager").float().eval()
    with torch.no_grad():
        logits = model(golden["ids"].long()).logits
    print(f"{folder}: {type(model).__name__}, largest difference of the logits "
          f"{(logits - golden['logits']).abs().max().item():.3g}, "
          f"equal: {torch.equal(logits, golden['logits'])}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1:2] == ["--check"]:
        for argument in sys.argv[2:]:
            check(argument)
    else:
        root = Path(sys.argv[1] if len(sys.argv) > 1
                    else Path(__file__).parents[2] / "tests/golden/models")
        for model_name in MODELS:
            write(model_name, root / model_name)
        (root / "versions.json").write_text(json.dumps(
            {"torch": torch.__version__, "transformers": transformers.__version__, "seed": 7}) + "\n")
