import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.avro.AvroSchema;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.CachedSchemaRegistryClient;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.SchemaMetadata;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.Config;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.Metadata;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.SchemaReference;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericData;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericDatumReader;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericDatumWriter;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericRecord;
import org.apache.flink.avro.shaded.org.apache.avro.io.BinaryEncoder;
import org.apache.flink.avro.shaded.org.apache.avro.io.DecoderFactory;
import org.apache.flink.avro.shaded.org.apache.avro.io.EncoderFactory;
import org.apache.flink.formats.avro.registry.confluent.ConfluentSchemaRegistryCoder;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Confluent's client for Java, as Flink ships it, and Flink's Avro format against a running registry. */
class ConfluentClientTest {

  private static final String ID = "{\"name\":\"id\",\"type\":\"long\"}";
  private static final AvroSchema ORDER = order(ID);
  private static final AvroSchema ORDER_WITH_STATE =
      order(ID + ",{\"name\":\"state\",\"type\":\"string\",\"default\":\"placed\"}");
  private static final String STATE = "Gr\u00fc\u00dfe \ud83e\udd89";
  private static final AvroSchema ORDER_WITH_PRICE = order(ID + ",{\"name\":\"price\",\"type\":\"double\"}");

  private static RunningRegistry registry;

  @BeforeAll
  static void startRegistry() throws IOException {
    registry = new RunningRegistry();
  }

  @AfterAll
  static void stopRegistry() throws InterruptedException {
    registry.close();
  }

  private static AvroSchema order(String fields) {
    String head = "{\"type\":\"record\",\"name\":\"Order\",\"namespace\":\"shop\",\"fields\":[";
    return new AvroSchema(head + fields + "]}");
  }

  private static CachedSchemaRegistryClient connect(String path) {
    return new CachedSchemaRegistryClient(registry.url + path, 100);
  }

  private static CachedSchemaRegistryClient connect() {
    return connect("");
  }

  private static void assertRefused(int status, int code, Executable request) {
    RestClientException refusal = assertThrows(RestClientException.class, request);
    assertEquals(List.of(status, code), List.of(refusal.getStatus(), refusal.getErrorCode()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"found-value", "a/b +%25 c-value"})
  void aRegisteredSchemaIsFoundByIdVersionAndText(String subject) throws Exception {
    int id = connect().register(subject, ORDER);
    CachedSchemaRegistryClient client = connect();
    assertEquals(ORDER, client.getSchemaBySubjectAndId(subject, id));
    assertEquals(ORDER.canonicalString(), client.getSchemaMetadata(subject, 1).getSchema());
    assertEquals(id, client.getLatestSchemaMetadata(subject).getId());
    assertEquals(id, client.getId(subject, ORDER, true));
    assertEquals(1, client.getVersion(subject, ORDER));
    assertEquals(List.of(subject), List.copyOf(client.getAllSubjectsByPrefix(subject)));
    assertTrue(client.getAllSubjectsById(id).contains(subject));
  }

  @Test
  void aSchemaEvolvesByCompatibleStepsOnly() throws Exception {
    CachedSchemaRegistryClient client = connect();
    client.register("evolving-value", ORDER);
    assertTrue(client.testCompatibility("evolving-value", ORDER_WITH_STATE));
    String reason = client.testCompatibilityVerbose("evolving-value", ORDER_WITH_PRICE).get(0);
    assertTrue(reason.contains("READER_FIELD_MISSING_DEFAULT_VALUE"), reason);
    assertEquals(2, client.registerWithResponse("evolving-value", ORDER_WITH_STATE, false).getVersion());
    assertRefused(409, 40901, () -> client.register("evolving-value", ORDER_WITH_PRICE));
    assertEquals(List.of(1, 2), client.getAllVersions("evolving-value"));
  }

  @Test
  void refusalsCarryStatusAndCode() {
    CachedSchemaRegistryClient client = connect();
    assertRefused(404, 40403, () -> client.getSchemaById(Integer.MAX_VALUE));
    assertRefused(404, 40401, () -> client.getLatestSchemaMetadata("nowhere"));
    assertRefused(404, 40401, () -> client.getId("nowhere", ORDER));
    assertRefused(404, 40401, () -> client.deleteSubject("nowhere"));
    assertRefused(404, 40408, () -> client.getConfig("nowhere"));
    assertRefused(404, 40409, () -> client.getMode("nowhere"));
    assertRefused(422, 42203, () -> client.updateCompatibility("nowhere", "SOMEWHAT"));
    assertRefused(422, 42204, () -> client.setMode("SOMEHOW", "nowhere"));
  }

  @Test
  void levelsAndConfigsAreSetAndCleared() throws Exception {
    CachedSchemaRegistryClient client = connect();
    assertEquals("FULL", client.updateCompatibility("config-value", "FULL"));
    client.updateConfig("config-value", new Config("NONE"));
    assertEquals("NONE", client.getConfig("config-value").getCompatibilityLevel());
    assertEquals("BACKWARD", client.getCompatibility(null));
    client.deleteConfig("config-value");
    assertRefused(404, 40408, () -> client.getConfig("config-value"));
  }

  @Test
  void aSchemaIsImportedUnderItsIdAndVersion() throws Exception {
    CachedSchemaRegistryClient client = connect();
    assertRefused(422, 42205, () -> client.register("imported-value", ORDER, 7, 4711));
    client.setMode("IMPORT", "imported-value");
    assertEquals(4711, client.register("imported-value", ORDER, 7, 4711));
    client.setMode("READONLY", "imported-value");
    assertRefused(422, 42205, () -> client.register("imported-value", ORDER_WITH_STATE));
    assertEquals(List.of(7), client.getAllVersions("imported-value"));
  }

  @Test
  void versionsAndSubjectsAreDeletedSoftlyAndThenForGood() throws Exception {
    CachedSchemaRegistryClient client = connect();
    client.register("deleted-value", ORDER);
    client.register("deleted-value", ORDER_WITH_STATE);
    assertRefused(404, 40407, () -> client.deleteSchemaVersion("deleted-value", "1", true));
    assertEquals(1, client.deleteSchemaVersion("deleted-value", "1"));
    assertRefused(404, 40406, () -> client.deleteSchemaVersion("deleted-value", "1"));
    assertEquals(List.of(2), client.deleteSubject("deleted-value"));
    assertFalse(client.getAllSubjects().contains("deleted-value"));
    assertTrue(client.getAllSubjects(true).contains("deleted-value"));
    assertEquals(List.of(1, 2), client.deleteSubject("deleted-value", true));
  }

  @Test
  void referencesAreFollowedKeptAndGuarded() throws Exception {
    connect().register("order-value", ORDER);
    String text = "{\"type\":\"record\",\"name\":\"Cart\",\"fields\":[{\"name\":\"order\",\"type\":\"shop.Order\"}]}";
    List<SchemaReference> references = List.of(new SchemaReference("shop.Order", "order-value", 1));
    Map<String, String> resolved = Map.of("shop.Order", ORDER.canonicalString());
    int id = connect().register("cart-value", new AvroSchema(text, references, resolved, null));
    CachedSchemaRegistryClient client = connect();
    Schema cart = ((AvroSchema) client.getSchemaById(id)).rawSchema();
    assertEquals(ORDER.rawSchema(), cart.getField("order").schema());
    assertRefused(422, 42206, () -> client.deleteSubject("order-value"));
  }

  @Test
  void metadataIsKeptAndFound() throws Exception {
    Metadata first = new Metadata(null, Map.of("major", "1"), null);
    connect().register("owned-value", ORDER.copy(first, null));
    connect().register("owned-value", ORDER_WITH_STATE.copy(new Metadata(null, Map.of("major", "2"), null), null));
    SchemaMetadata found = connect().getLatestWithMetadata("owned-value", Map.of("major", "1"), false);
    assertEquals(List.of(1, first), List.of(found.getVersion(), found.getMetadata()));
  }

  @Test
  void aUrlWithAContextMakesARegistryOfItsOwn() throws Exception {
    CachedSchemaRegistryClient client = connect("/contexts/.flink");
    assertEquals(1, client.register("own-value", ORDER));
    assertEquals(List.of(":.flink:own-value"), List.copyOf(client.getAllSubjects()));
    assertEquals(ORDER, connect().getSchemaBySubjectAndId(":.flink:own-value", 1));
  }

  @Test
  void eachReadsWhatTheOtherWroteAndTheBytesAreTheSame() throws Exception {
    GenericRecord order = new GenericData.Record(ORDER_WITH_STATE.rawSchema());
    order.put("id", 1L << 40);
    order.put("state", STATE);
    byte[] payload = writtenByFlink("framed", order);
    assertEquals(Map.of("id", 1L << 40, "state", STATE), registry.readByPython("framed", payload));
    byte[] theirs = registry.writtenByPython("framed", ORDER_WITH_STATE.canonicalString(), order.toString());
    assertArrayEquals(payload, theirs);
    assertEquals(order.toString(), readByFlink(theirs).toString());
  }

  private static byte[] writtenByFlink(String topic, GenericRecord value) throws IOException {
    ByteArrayOutputStream payload = new ByteArrayOutputStream();
    new ConfluentSchemaRegistryCoder(topic + "-value", connect()).writeSchema(value.getSchema(), payload);
    BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(payload, null);
    new GenericDatumWriter<>(value.getSchema()).write(value, encoder);
    return payload.toByteArray();
  }

  private static Object readByFlink(byte[] payload) throws IOException {
    ByteArrayInputStream rest = new ByteArrayInputStream(payload);
    Schema schema = new ConfluentSchemaRegistryCoder(connect()).readSchema(rest);
    return new GenericDatumReader<>(schema).read(null, DecoderFactory.get().directBinaryDecoder(rest, null));
  }
}
