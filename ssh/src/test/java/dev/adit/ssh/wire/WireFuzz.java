package dev.adit.ssh.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Fuzz targets: what the peer's payloads are read with. See docs/building.md. */
public final class WireFuzz {
  private static final List<MessageType<?>> TYPES =
      Stream.of(TransportMessage.class, AuthMessage.class, ConnectionMessage.class)
          .flatMap(room -> Arrays.stream(room.getPermittedSubclasses()))
          .<MessageType<?>>map(WireFuzz::type)
          .toList();

  private WireFuzz() {}

  private static MessageType<?> type(Class<?> message) {
    try {
      return (MessageType<?>) message.getField("TYPE").get(null);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(message.getName(), e);
    }
  }

  /** A payload, read as each of the messages that have its number. */
  public static void messages(byte[] payload) throws MalformedDataException {
    for (MessageType<?> type : TYPES) {
      if (payload.length > 0 && type.number() == (payload[0] & 0xff)) {
        readAndWrite(type, payload);
      }
    }
  }

  private static void readAndWrite(MessageType<?> type, byte[] payload)
      throws MalformedDataException {
    Message message;
    try {
      message = type.parse(WireReader.over(payload));
    } catch (MalformedDataException refused) {
      return;
    }
    byte[] written = message.toBytes();
    Message again = type.parse(WireReader.over(written));
    assertThat(again).usingRecursiveComparison().isEqualTo(message);
    assertThat(again.toBytes()).isEqualTo(written);
  }
}
