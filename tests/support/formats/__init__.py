"""Images of all formats but JPEG, made by other encoders, and their comparison with OpenCV: `make test-formats`.

`make_images` runs with a Python that has OpenCV 4.8.1, Pillow and tifffile, and uses whatever command-line encoders are
installed (Debian: libtiff-tools, webp, imagemagick, gifsicle, netpbm). `compare` runs with the project's Python.
"""
