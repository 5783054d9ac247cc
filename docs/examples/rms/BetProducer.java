import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Tells tricast of bets from Java 17 or newer: before place-bet is called, and when it has answered.
 *
 * <p>Needs kafka-clients. Try it: {@code java -cp … BetProducer 127.0.0.1:9092 tricast. 90210}
 */
public final class BetProducer implements AutoCloseable {

    /** What place-bet came to; UNKNOWN when nobody can say, after a time-out for instance. */
    public enum Disposition { ACCEPTED, REJECTED, REFERRED, UNKNOWN }

    public record Selection(String eventId, String marketId, String line, String outcomeId, BigDecimal odds) {}

    private final KafkaProducer<String, String> producer;
    private final String topic;
    private final String customer;

    public BetProducer(String bootstrapServers, String topic, String customer) {
        Properties properties = new Properties();
        properties.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        properties.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true); // a resend leaves no repeat, and order is kept
        properties.put(ProducerConfig.ACKS_CONFIG, "all");
        properties.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 30_000);
        properties.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, 10_000);
        this.producer = new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer());
        this.topic = topic;
        this.customer = customer;
    }

    /** Tells of a bet and returns when all replicas have it. Call place-bet only after that. */
    public RecordMetadata placed(String slipId, String context, BigDecimal stake, List<Selection> selections)
            throws ExecutionException, InterruptedException {
        String chosen = selections.stream().map(BetProducer::json).collect(Collectors.joining(","));
        return write(slipId, """
            {"type":"placed","customer":%s,"bet_slip_id":%s,"placed_at":%s,"context":%s,"stake":%s,"selections":[%s]}"""
            .formatted(json(customer), json(slipId), now(), json(context), json(stake.toPlainString()), chosen));
    }

    /** Tells what place-bet came to; {@code betCode} and {@code result} may be null. */
    public RecordMetadata answered(String slipId, Disposition disposition, String betCode, Boolean result)
            throws ExecutionException, InterruptedException {
        String more = result == null ? "" : ",\"result\":" + result;
        return write(slipId, """
            {"type":"answered","customer":%s,"bet_slip_id":%s,"answered_at":%s,"disposition":%s,"bet_code":%s%s}"""
            .formatted(
                json(customer), json(slipId), now(), json(disposition.name().toLowerCase()), json(betCode), more));
    }

    @Override
    public void close() {
        producer.close();
    }

    private RecordMetadata write(String slipId, String value) throws ExecutionException, InterruptedException {
        return producer.send(new ProducerRecord<>(topic, customer + "/" + slipId, value)).get();
    }

    private static String now() {
        return json(Instant.now().toString()); // RFC 3339, UTC
    }

    private static String json(Selection selection) {
        return """
            {"event_id":%s,"market_id":%s,"line":%s,"outcome_id":%s,"odds":%s}"""
            .formatted(
                json(selection.eventId()), json(selection.marketId()), json(selection.line()),
                json(selection.outcomeId()), json(selection.odds().toPlainString()));
    }

    /** Writes a JSON string; your JSON library does that, too. */
    private static String json(String text) {
        if (text == null) {
            return "null";
        }
        StringBuilder written = new StringBuilder("\"");
        for (char letter : text.toCharArray()) {
            if (letter == '"' || letter == '\\') {
                written.append('\\').append(letter);
            } else if (letter < ' ') {
                written.append("\\u%04x".formatted((int) letter));
            } else {
                written.append(letter);
            }
        }
        return written.append('"').toString();
    }

    public static void main(String[] arguments) throws Exception {
        try (BetProducer bets = new BetProducer(arguments[0], arguments[1] + "rms.bets", arguments[2])) {
            String slipId = UUID.randomUUID().toString(); // also the betSlipId of place-bet
            Selection selection =
                new Selection("5120033471", "1900455120", "1.5", "6017722934", new BigDecimal("1.95"));
            RecordMetadata placed = bets.placed(slipId, "prematch", new BigDecimal("250.00"), List.of(selection));
            System.out.printf("%s/%d/%d%n", placed.topic(), placed.partition(), placed.offset());
            // Here your platform calls place-bet, and bet/detail if it has to know whether the bet was referred.
            RecordMetadata answered = bets.answered(slipId, Disposition.REFERRED, "k3v9q7a1z-m4n8p2x6c0", true);
            System.out.printf("%s/%d/%d%n", answered.topic(), answered.partition(), answered.offset());
        }
    }
}
