import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.AppInfoParser;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * The job of {@code benchmarks/job.py} on Kafka Streams: a processor with a persistent, logged, cached store, exactly
 * once. Arguments: bootstrap servers, prefix of topics and application, frames in all, frames of the warm-up.
 * It prints one line, the report of {@code benchmarks/peer.py}.
 */
public final class StreamsJob {
  private static final String STORE = "state";
  private static final String INPUT = "bench.raw";
  private static final String OUTPUT = "bench.out";
  private static final ObjectMapper JSON = new ObjectMapper();

  private StreamsJob() {}

  /** What a measurement takes at one moment: nanoseconds of wall, processor and waiting for a core. */
  private record Moment(long wall, long processor, long coreWait) {
    static Moment now() throws IOException {
      OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
      long waited = 0;
      try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
        for (Path task : tasks.toList()) {
          // Second number: nanoseconds on a run queue.
          waited += Long.parseLong(Files.readString(task.resolve("schedstat")).split(" ")[1]);
        }
      }
      return new Moment(System.nanoTime(), system.getProcessCpuTime(), waited);
    }
  }

  /** What the tasks of the one stream thread share. */
  private static final class Progress {
    private final long frames;
    private final long warmUp;
    private final AtomicLong taken = new AtomicLong();
    private Moment began;
    private volatile double commitsBefore = -1;

    Progress(long frames, long warmUp) {
      this.frames = frames;
      this.warmUp = warmUp;
    }

    /** Called before each frame, by the stream thread. */
    void take() {
      if (taken.getAndIncrement() == warmUp) {
        try {
          began = Moment.now();
        } catch (IOException error) {
          throw new UncheckedIOException(error);
        }
      }
    }

    boolean isComplete() {
      return taken.get() == frames;
    }
  }

  /** One frame in, one record out for each of its children. */
  private static final class Normalize implements Processor<byte[], byte[], byte[], byte[]> {
    private static final DateTimeFormatter TIME =
        DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'+00:00'").withZone(ZoneOffset.UTC);
    private final Progress progress;
    private final CRC32 crc = new CRC32();
    private ProcessorContext<byte[], byte[]> context;
    private KeyValueStore<Bytes, byte[]> store;

    Normalize(Progress progress) {
      this.progress = progress;
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
      this.context = context;
      store = context.getStateStore(STORE);
    }

    @Override
    public void process(Record<byte[], byte[]> frame) {
      progress.take();
      try {
        normalize(frame, context.recordMetadata().orElseThrow());
      } catch (IOException error) {
        throw new UncheckedIOException(error);
      }
      if (progress.isComplete()) {
        progress.commitsBefore = commits(context.metrics().metrics());
        context.commit();
      }
    }

    private void normalize(Record<byte[], byte[]> frame, RecordMetadata at) throws IOException {
      byte[] packet = frame.value();
      byte[] received = frame.headers().lastHeader("tc-received-ns").value();
      String source = "tricast/kambi/" + text(frame.headers().lastHeader("tc-line").value());
      String position = at.topic() + "/" + at.partition() + "/" + at.offset() + "/";
      int index = 0;
      for (JsonNode child : JSON.readTree(JSON.readTree(packet, 1, packet.length - 1).get(1).textValue())) {
        JsonNode update = child.get("boou");
        long eventId = update.get("eventId").longValue();
        byte[] event = bytes(Long.toString(eventId));
        long atMs = Long.parseLong(child.get("t").textValue());
        ArrayNode odds = JSON.createArrayNode();
        for (JsonNode outcome : update.get("outcomes")) {
          odds.addObject()
              .put("id", outcome.get("id").longValue())
              .put("bet_offer_id", outcome.get("betOfferId").longValue())
              .put("odds_thousandths", outcome.get("odds").longValue());
        }
        crc.reset();
        crc.update(JSON.writeValueAsBytes(odds));
        int digest = (int) crc.getValue();
        Bytes key = Bytes.wrap(event);
        byte[] before = store.get(key);
        long updates = before == null ? 0 : ByteBuffer.wrap(before).getLong();
        int lastDigest = before == null ? 0 : ByteBuffer.wrap(before).getInt(Long.BYTES);
        store.put(
            key, ByteBuffer.allocate(Long.BYTES + Integer.BYTES).putLong(updates + 1).putInt(digest).array());
        ObjectNode body = JSON.createObjectNode();
        body.put("event_id", eventId);
        body.set("outcomes", odds);
        body.put("vendor_time_ms", atMs);
        body.put("update", updates + 1);
        body.put("changed", digest != lastDigest);
        Headers headers =
            new RecordHeaders()
                .add("ce_specversion", bytes("1.0"))
                .add("ce_id", bytes(position + index++))
                .add("ce_source", bytes(source))
                .add("ce_type", bytes("tricast.kambi.odds.changed.v1"))
                .add("ce_time", bytes(TIME.format(Instant.ofEpochMilli(atMs))))
                .add("ce_subject", event)
                .add("content-type", bytes("application/json"))
                .add("ce_dataschema", bytes("urn:tricast:schema:tricast.kambi.odds.changed.v1"))
                .add("ce_tcreceived", received);
        context.forward(new Record<>(event, JSON.writeValueAsBytes(body), frame.timestamp(), headers));
      }
    }

    private static byte[] bytes(String text) {
      return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte[] bytes) {
      return new String(bytes, StandardCharsets.UTF_8);
    }
  }

  /** Returns how often the stream thread has committed. */
  private static double commits(Map<org.apache.kafka.common.MetricName, ? extends org.apache.kafka.common.Metric> all) {
    return all.entrySet().stream()
        .filter(entry -> entry.getKey().name().equals("commit-total"))
        .filter(entry -> entry.getKey().group().equals("stream-thread-metrics"))
        .mapToDouble(entry -> (double) entry.getValue().metricValue())
        .sum();
  }

  private static Topology topology(String prefix, Progress progress) {
    return new Topology()
        .addSource("frames", Serdes.ByteArray().deserializer(), Serdes.ByteArray().deserializer(), prefix + INPUT)
        .addProcessor("normalize", () -> new Normalize(progress), "frames")
        .addStateStore(
            Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(STORE), Serdes.Bytes(), Serdes.ByteArray())
                .withCachingEnabled(),
            "normalize")
        .addSink("out", prefix + OUTPUT, Serdes.ByteArray().serializer(), Serdes.ByteArray().serializer(), "normalize");
  }

  private static Map<String, Object> settings() {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG), 4 * 1024 * 1024);
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 5);
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 1024 * 1024);
    return settings;
  }

  private static double residentMiB() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("\\D", "")) / 1024.0;
      }
    }
    throw new IllegalStateException("no VmRSS in /proc/self/status");
  }

  private static void report(Progress progress, Moment ended) throws IOException {
    Moment began = progress.began;
    Map<String, String> shown = new LinkedHashMap<>();
    shown.put("kafka-streams", AppInfoParser.getVersion());
    shown.put("Java", Runtime.version().toString());
    shown.put("options", String.join(" ", ManagementFactory.getRuntimeMXBean().getInputArguments()));
    settings().forEach((name, value) -> shown.put(name, value.toString()));
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("frames", progress.frames - progress.warmUp);
    report.put("seconds", (ended.wall - began.wall) / 1e9);
    report.put("cpu_seconds", (ended.processor - began.processor) / 1e9);
    report.put("core_wait_seconds", (ended.coreWait - began.coreWait) / 1e9);
    report.put("rss_mib", residentMiB());
    report.put("settings", shown);
    System.out.println(JSON.writeValueAsString(report));
  }

  /** Works off all frames and reports. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    String prefix = arguments[1];
    Progress progress = new Progress(Long.parseLong(arguments[2]), Long.parseLong(arguments[3]));
    Path folder = Files.createTempDirectory("streams");
    Properties properties = new Properties();
    properties.putAll(settings());
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, prefix + "bench");
    properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
    properties.put(StreamsConfig.STATE_DIR_CONFIG, folder.toString());
    KafkaStreams streams = new KafkaStreams(topology(prefix, progress), properties);
    streams.setUncaughtExceptionHandler(
        error -> {
          error.printStackTrace();
          Runtime.getRuntime().halt(1);
          return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
    streams.start();
    while (!progress.isComplete() || progress.commitsBefore < 0 || commits(streams.metrics()) <= progress.commitsBefore) {
      TimeUnit.MILLISECONDS.sleep(10);
    }
    report(progress, Moment.now());
    streams.close();
    streams.cleanUp();
    for (Path left : List.of(folder.resolve(prefix + "bench"), folder)) {
      Files.deleteIfExists(left);
    }
  }
}
