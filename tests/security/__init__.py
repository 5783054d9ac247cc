"""What is guarded, tried: listeners, TLS and SASL to Kafka, certificates of vendors (docs/security.md)."""
