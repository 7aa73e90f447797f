"""What gets printed or exported: slips, QR codes, spreadsheets. Values in, bytes out; who may have them is decided above."""
