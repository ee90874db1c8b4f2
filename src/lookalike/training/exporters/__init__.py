"""Encoders made elsewhere, written once as ONNX, then used without torch: networks for pictures and CLIPs.

`exported_folder` writes any of them and compares what it wrote with torch; the other modules open what others publish:
timm's and torchvision's networks, open_clip's, CLIP as sentence-transformers keep it, ruCLIP.
"""
