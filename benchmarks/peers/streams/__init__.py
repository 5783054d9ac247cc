"""Peer "Kafka Streams": the job in Java (`StreamsJob.java`), and how it is compiled and run."""
