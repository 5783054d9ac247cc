"""The exactly-once engine: Faust agents over one Kafka transaction per worker and cycle."""
