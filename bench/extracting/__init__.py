"""From folders of pictures to minutiae, engines side by side: what `python -m bench extract` measures."""
