"""The page where people decide, as a server for one browser on the same machine.

In: a folder of results that is only read, its pictures, and decisions from the page. Out: what the page
shows, and lines in the file of decisions. May be changed: what the page asks for; a decision is acknowledged
only when its line is on the disk, and no path of a file leaves the server.
"""
