/** Addresses as they are published, with the mean that timm's or Hugging Face's configuration of them has. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalisationNamed } from '../../../src/models/pretrained/normalisation-names.js';

test('the words of an address tell the normalisation', () => {
  const means: [origin: string, mean: number | undefined][] = [
    ['hf-hub:timm/vit_small_patch16_224.augreg_in21k', 0.5],
    ['hf-hub:google/vit-base-patch16-224', 0.5],
    ['hf-hub:timm/deit_small_patch16_224.fb_in1k', 0.485],
    ['weights/deit_tiny_patch16_224-a1311bcf.safetensors', 0.485],
    ['hf-hub:timm/vit_small_patch16_224.dino', 0.485],
    ['hf-hub:timm/vit_base_patch16_224.mae', 0.485],
    ['mae/mae_pretrain_vit_base.safetensors', 0.485],
    ['hf-hub:timm/convnext_base.clip_laion2b', 0.48145466],
    ['weights/vit_small_patch16_224.safetensors', undefined],
    ['weights/model.safetensors', undefined],
    ['hf-hub:timm/vit_base_patch16_clip_224.openai', 0.48145466],
    ['dinov2/model.safetensors', 0.485],
    ['mocov3/vit_small.safetensors', 0.485],
    // Words of folders that tell of nobody's weights.
    ['eclipse/model.safetensors', undefined],
    ['clips/model.safetensors', undefined],
    ['dinosaurs/model.safetensors', undefined],
    ['googly/model.safetensors', undefined],
  ];
  for (const [origin, mean] of means) assert.equal(normalisationNamed(origin)?.mean[0], mean, origin);
});
