"""Hold the files that `tee-sim new` writes, with NAME, CLASS and IDENTITY to be filled in."""
