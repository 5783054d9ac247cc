import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.cloudevents.CloudEvent;
import io.cloudevents.kafka.KafkaMessageFactory;
import io.cloudevents.rw.CloudEventRWException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/**
 * Reads {@code kambi.offers} from its beginning to what is there now, and on for some seconds, with Java 17 or newer.
 * Holds every record to what docs/topics.md promises: a CloudEvent, data that its schema takes, one id once, the order
 * of its key.
 *
 * <p>Needs kafka-clients, cloudevents-kafka and json-schema-validator; jars.sha256 beside it has all jars. Try it:
 * {@code java -cp … OffersReader 127.0.0.1:9092 tricast. 60 schemas/json}. It prints what it counted as one line of
 * JSON; of the first record that is not as promised it says what is wrong, and ends with 1.
 */
public final class OffersReader {

    /** A record is not what was promised. */
    @SuppressWarnings("serial")
    static final class Offence extends Exception {
        Offence(ConsumerRecord<?, ?> record, String what) {
            super("%s/%d/%d: %s".formatted(record.topic(), record.partition(), record.offset(), what));
        }
    }

    /** Where a record comes from: raw offset, number within, and below that; records of one key rise in it. */
    record Position(long offset, long index, long below) implements Comparable<Position> {
        private static final Comparator<Position> ORDER =
            Comparator.comparingLong(Position::offset).thenComparingLong(Position::index)
                .thenComparingLong(Position::below);

        @Override
        public int compareTo(Position other) {
            return ORDER.compare(this, other);
        }
    }

    /** An id, {@code <raw topic>/<partition>/<offset>/<index>}, some with one more number below that. */
    private static final Pattern ID = Pattern.compile("([^/]+/\\d+)/(\\d+)/(\\d+)(?:/(\\d+))?");
    private static final Pattern RAW = Pattern.compile("^[^/]+/\\d+/\\d+");

    private final SchemaRegistry registry = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);
    private final ObjectMapper json = new ObjectMapper();
    private final Path schemas;
    private final Map<String, Schema> schemaOfType = new HashMap<>();
    private final Map<String, Long> types = new TreeMap<>();
    private final Set<String> identities = new HashSet<>();
    private final Map<String, Integer> partitionOfKey = new HashMap<>();
    private final Map<String, Position> newestOfKey = new HashMap<>();
    private final Map<String, Long> timeOfOutcome = new HashMap<>();
    private long late;

    OffersReader(Path schemas) {
        this.schemas = schemas;
    }

    void check(ConsumerRecord<String, byte[]> record) throws Offence, IOException {
        CloudEvent event;
        try {
            event = KafkaMessageFactory.createReader(record).toEvent();
        } catch (CloudEventRWException | IllegalStateException | IllegalArgumentException error) {
            throw new Offence(record, "no CloudEvent: " + error.getMessage());
        }
        JsonNode data = checkData(record, event);
        // One event is one source and id; both are the same after any restart of tricast.
        if (!identities.add(event.getSource() + " " + event.getId())) {
            throw new Offence(record, "a double: ce_id %s was there before".formatted(event.getId()));
        }
        checkOrder(record, event);
        checkTimes(record, event, data);
        types.merge(event.getType(), 1L, Long::sum);
    }

    private JsonNode checkData(ConsumerRecord<String, byte[]> record, CloudEvent event) throws Offence, IOException {
        if (event.getData() == null) {
            throw new Offence(record, "no data");
        }
        if (!("urn:tricast:schema:" + event.getType()).equals(String.valueOf(event.getDataSchema()))) {
            throw new Offence(record, "%s has dataschema %s".formatted(event.getType(), event.getDataSchema()));
        }
        Schema schema = schemaOfType.get(event.getType());
        if (schema == null) {
            Path file = schemas.resolve(event.getType() + ".json");
            if (!Files.exists(file)) {
                throw new Offence(record, "no schema for type " + event.getType());
            }
            schema = registry.getSchema(Files.readString(file), InputFormat.JSON);
            schemaOfType.put(event.getType(), schema);
        }
        String text = new String(event.getData().toBytes(), StandardCharsets.UTF_8);
        List<com.networknt.schema.Error> errors;
        try {
            errors = schema.validate(text, InputFormat.JSON);
        } catch (RuntimeException error) {
            throw new Offence(record, "%s is no JSON: %s".formatted(event.getType(), error.getMessage()));
        }
        if (!errors.isEmpty()) {
            throw new Offence(record, "%s breaks its schema: %s".formatted(event.getType(), errors.get(0)));
        }
        return json.readTree(text);
    }

    /** A key stays in its partition, and its records rise in the position that they come from. */
    private void checkOrder(ConsumerRecord<String, byte[]> record, CloudEvent event) throws Offence {
        String key = record.key();
        Integer partition = partitionOfKey.putIfAbsent(key, record.partition());
        if (partition != null && partition != record.partition()) {
            throw new Offence(record, "key %s is also in partition %d".formatted(key, partition));
        }
        Object replayed = event.getExtension("replayed"); // of a replay: the position to compare with others
        String from = replayed == null ? event.getId() : RAW.matcher(event.getId()).replaceFirst(replayed.toString());
        Matcher id = ID.matcher(from);
        if (!id.matches()) {
            throw new Offence(record, "ce_id %s names no position".formatted(event.getId()));
        }
        String source = key + " " + id.group(1); // an event moves to another raw partition when shards change
        long below = id.group(4) == null ? -1 : Long.parseLong(id.group(4));
        Position position = new Position(Long.parseLong(id.group(2)), Long.parseLong(id.group(3)), below);
        Position before = newestOfKey.put(source, position);
        if (before != null && before.compareTo(position) >= 0) {
            throw new Offence(record, "out of order: key %s has %s behind %s".formatted(key, position, before));
        }
    }

    /** Odds that are older than those told before of the same outcome are marked late. */
    private void checkTimes(ConsumerRecord<String, byte[]> record, CloudEvent event, JsonNode data) throws Offence {
        if (data.path("late").asBoolean(false)) {
            late++;
        }
        if (!event.getType().contains(".odds.changed.") || !data.has("vendor_time_ms")) {
            return; // what a snapshot showed has no time of the vendor
        }
        long time = data.get("vendor_time_ms").asLong();
        for (JsonNode outcome : data.get("outcomes")) {
            if (outcome.path("late").asBoolean(false)) {
                continue;
            }
            String name = data.get("event_id").asString() + "/" + outcome.get("id").asString();
            Long before = timeOfOutcome.put(name, time);
            if (before != null && before > time) {
                throw new Offence(record, "outcome %s: odds of %d behind those of %d".formatted(name, time, before));
            }
        }
    }

    String counts(Duration howLong) {
        Map<String, Object> counts = new TreeMap<>();
        counts.put("seconds", howLong.toSeconds());
        counts.put("records", identities.size());
        counts.put("keys", partitionOfKey.size());
        counts.put("late", late);
        counts.put("types", types);
        return json.writeValueAsString(counts);
    }

    void read(String bootstrapServers, String topic, Duration howLong) throws Offence, IOException {
        Properties properties = new Properties();
        properties.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        properties.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed"); // Java's default is not
        properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none"); // never pass over records without a word
        properties.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        try (var consumer = new KafkaConsumer<>(properties, new StringDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                .map(partition -> new TopicPartition(topic, partition.partition()))
                .collect(Collectors.toList());
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            Instant end = Instant.now().plus(howLong);
            // Markers of transactions have offsets, too: the position passes them, records do not tell.
            while (Instant.now().isBefore(end)
                || partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                for (ConsumerRecord<String, byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                    check(record);
                }
            }
        }
    }

    public static void main(String[] arguments) throws IOException {
        String topic = arguments[1] + "kambi.offers";
        Duration howLong = Duration.ofSeconds(Long.parseLong(arguments[2]));
        OffersReader reader = new OffersReader(Path.of(arguments[3]));
        String wrong = null;
        try {
            reader.read(arguments[0], topic, howLong);
            wrong = reader.identities.isEmpty() ? topic + ": no record came" : null;
        } catch (Offence offence) {
            wrong = offence.getMessage();
        }
        System.out.println(reader.counts(howLong));
        if (wrong != null) {
            System.err.println(wrong);
            System.exit(1);
        }
    }
}
