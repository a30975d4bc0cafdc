"""WebP files: lossy and lossless, with and without alpha, with metadata, animations."""

from __future__ import annotations

import cv2
from PIL import Image

from tests.support.formats.pictures import SIZES, Files, Size, all_of, picture, saved


def files(sizes: list[Size] = SIZES) -> Files:
    """Yield all WebP files."""
    exif = Image.Exif()
    exif[0x112] = 6
    for number, size in enumerate(sizes):
        for seed in range(3):
            name = f"webp-{number}-{seed}"
            rgba = Image.fromarray(picture(seed, size, 4), "RGBA")
            rgb = rgba.convert("RGB")
            for label, image in {"rgb": rgb, "rgba": rgba, "gray": rgb.convert("L").convert("RGB")}.items():
                for quality in (5, 50, 90):
                    yield f"{name}-pil-{label}-{quality}.webp", saved(image, "WEBP", quality=quality)
                yield f"{name}-pil-{label}-lossless.webp", saved(image, "WEBP", lossless=True)
                yield f"{name}-pil-{label}-exif.webp", saved(image, "WEBP", lossless=True, exif=exif)
            for channels in (3, 4):
                for quality in (30, 101):
                    _, made = cv2.imencode(".webp", picture(seed, size, channels), [cv2.IMWRITE_WEBP_QUALITY, quality])
                    yield f"{name}-cv2-{channels}-{quality}.webp", made.tobytes()
            if seed == 0:
                frames = [Image.fromarray(picture(i, size, 4), "RGBA") for i in range(2)]
                yield (
                    f"{name}-animated.webp",
                    saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True),
                )
            commands = {
                f"c-q{q}-m{m}": ["cwebp", "-quiet", "-q", str(q), "-m", str(m), "IN", "-o", "OUT"]
                for q in (1, 75, 100)
                for m in (0, 6)
            }
            for z in (0, 6, 9):
                commands[f"c-z{z}"] = ["cwebp", "-quiet", "-z", str(z), "-exact", "IN", "-o", "OUT"]
            for label, options in {
                "near": ["-near_lossless", "40"],
                "noalpha": ["-noalpha"],
                "aq": ["-alpha_q", "20"],
                "segments": ["-segments", "1"],
                "strong": ["-strong", "-f", "100", "-sharpness", "7"],
                "nof": ["-f", "0"],
                "pass": ["-pass", "6", "-size", "900"],
                "sharp": ["-sharp_yuv"],
                "simple": ["-nostrong", "-f", "60"],
                "part": ["-partition_limit", "90"],
                "filter": ["-alpha_filter", "best", "-alpha_method", "1"],
                "raw-alpha": ["-alpha_method", "0"],
            }.items():
                commands[f"c-{label}"] = ["cwebp", "-quiet", *options, "IN", "-o", "OUT"]
            yield from all_of(name, saved(rgba, "PNG"), ".png", ".webp", commands)
