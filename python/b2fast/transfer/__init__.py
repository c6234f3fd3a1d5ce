"""How the content of files moves: uploads, downloads, and the two ways of moving bytes."""
