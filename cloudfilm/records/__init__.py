"""What the cloud side keeps, in SQL. One file per thing kept: plain functions that take a connection and return frozen values.

The connection is the transaction: who opens it (database.Database.write) commits it. Every row begins with its hospital.
"""
