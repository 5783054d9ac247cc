"""Protocol-true stand-ins for the vendors, with scripted faults and a ledger of what they sent."""
