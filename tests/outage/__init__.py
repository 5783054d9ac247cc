"""Kafka away from a real connector for as long as one likes, and a count of what arrived."""
