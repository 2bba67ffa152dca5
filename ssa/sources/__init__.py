"""Where pictures come from: folders, SA-1B folders and tars, WebDataset shards, lists of files."""
