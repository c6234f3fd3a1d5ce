"""Ways of receiving a file that a program can use by themselves, or replace.

A `DownloadManager` names the one that fits a download (`DownloadedFile.download_strategy`);
the bytes of its own take the way of the raw API's engine.
"""
