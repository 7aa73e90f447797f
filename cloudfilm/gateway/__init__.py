"""The hospital side (前置机): doors take what comes, the spool keeps it, the publisher encodes and uploads, the outbox tells.

It never sees the cloud's records. The archive is the one thing both sides reach.
"""
