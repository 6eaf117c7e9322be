"""Reads and runs what `esta export RUN --out stitch.safetensors` wrote; needs PyTorch alone. load(file) -> weights, metadata."""
import json
import torch
import torch.nn.functional as F

def load(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = bytearray(file.read())
    plain = ("format", "normalisation")
    metadata = {name: text if name in plain else json.loads(text) for name, text in header.pop("__metadata__").items()}
    kinds = {"F32": torch.float32, "F16": torch.float16}
    def tensor(entry):
        (begin, end), kind = entry["data_offsets"], kinds[entry["dtype"]]
        return torch.frombuffer(data[begin:end], dtype=kind).reshape(entry["shape"]).float()
    return {name: tensor(entry) for name, entry in header.items()}, metadata

def linear(w, name, x): return F.linear(x, w[name + ".weight"], w[name + ".bias"])
def norm(w, name, x): return F.layer_norm(x, x.shape[-1:], w[name + ".weight"], w[name + ".bias"], 1e-6)
def mlp(w, name, x): return linear(w, name + ".mlp.fc2", F.gelu(linear(w, name + ".mlp.fc1", x)))
def conv(w, name, x, **options):
    return F.conv2d(x.permute(0, 3, 1, 2), w[name + ".weight"], w[name + ".bias"], **options).permute(0, 2, 3, 1)

def vit_block(w, name, x, heads):
    q, k, v = linear(w, name + ".attn.qkv", norm(w, name + ".norm1", x)).unflatten(-1, (3, heads, -1)).permute(2, 0, 3, 1, 4)
    mixed = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(-1) @ v
    x = x + linear(w, name + ".attn.proj", mixed.transpose(1, 2).flatten(2))
    return x + mlp(w, name, norm(w, name + ".norm2", x))

def convnext_block(w, name, x, _heads):
    stage = name.split(".blocks.")[0] + ".downsample"
    if name.endswith(".blocks.0") and stage + ".0.weight" in w:
        x = conv(w, stage + ".1", norm(w, stage + ".0", x), stride=2)
    mixed = conv(w, name + ".conv_dw", x, padding=3, groups=x.shape[-1])
    return x + w[name + ".gamma"] * mlp(w, name, norm(w, name + ".norm", mixed))

def run(weights, segments, x):
    """x [batch, side, side, 3], normalised with the metadata's preprocessing.mean and .std -> logits [batch, classes]."""
    for index, part in enumerate(segments):
        w = {name[len(part["prefix"]):]: value for name, value in weights.items() if name.startswith(part["prefix"])}
        is_vit = part["family"] == "vit"
        if index > 0: x = linear(weights, "stitch", x)
        elif is_vit:
            x = conv(w, "patch_embed.proj", x, stride=w["patch_embed.proj.weight"].shape[-1]).flatten(1, 2)
            x = torch.cat([w["cls_token"].expand(len(x), -1, -1), x], 1) + w["pos_embed"]
        else: x = norm(w, "stem.1", conv(w, "stem.0", x, stride=4))
        for name in part["blocks"]: x = (vit_block if is_vit else convnext_block)(w, name, x, part.get("heads"))
    if is_vit: return linear(w, "head", norm(w, "norm", x[:, 0]))
    return linear(w, "head.fc", norm(w, "head.norm", x.mean((1, 2))))
