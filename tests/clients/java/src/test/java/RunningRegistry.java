import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.flink.avro.shaded.com.fasterxml.jackson.databind.ObjectMapper;

/** A registry in memory on a free port, and our Python serdes beside it. */
final class RunningRegistry implements AutoCloseable {

  private static final Path ROOT = Path.of("../../..").toAbsolutePath().normalize();
  private static final String PYTHON = ROOT.resolve(".venv/bin/python").toString();
  private static final Pattern STARTED = Pattern.compile(" serves (\\S+) from ");
  private static final ObjectMapper JSON = new ObjectMapper();

  final String url;
  private final Process process;

  RunningRegistry() throws IOException {
    process = start(List.of("-m", "registry", "serve", "--port", "0", "--store", "memory:"));
    String line = new BufferedReader(new InputStreamReader(process.getInputStream())).readLine();
    Matcher started = STARTED.matcher(String.valueOf(line));
    if (!started.find()) {
      throw new IllegalStateException("the registry did not start: " + line);
    }
    url = started.group(1);
  }

  /** The payload that our Python serializer makes of a value, a JSON text. */
  byte[] writtenByPython(String topic, String schema, String value) {
    Map<?, ?> written = run(value, "write", url, topic, schema, "prefix");
    return HexFormat.of().parseHex((String) written.get("payload"));
  }

  /** The value that our Python deserializer finds in a payload. */
  Map<?, ?> readByPython(String topic, byte[] payload) {
    return run("{\"headers\": {}, \"payload\": \"" + HexFormat.of().formatHex(payload) + "\"}", "read", url, topic);
  }

  @Override
  public void close() throws InterruptedException {
    process.destroy();
    process.waitFor();
  }

  private static Map<?, ?> run(String input, String... arguments) {
    List<String> command = new ArrayList<>(List.of(ROOT.resolve("tests/clients/frames.py").toString()));
    command.addAll(List.of(arguments));
    try {
      Process frames = start(command);
      try (OutputStream stdin = frames.getOutputStream()) {
        stdin.write(input.getBytes(StandardCharsets.UTF_8));
      }
      return JSON.readValue(frames.getInputStream(), Map.class);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private static Process start(List<String> arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(PYTHON));
    command.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(command).directory(ROOT.toFile());
    builder.redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().put("SIGNET_SHUTDOWN_DRAIN_SECONDS", "0");
    return builder.start();
  }
}
