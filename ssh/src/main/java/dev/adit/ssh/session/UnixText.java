package dev.adit.ssh.session;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;

/**
 * What Unix takes for text, which is bytes: a command may name a file in Latin-1. Bytes that are
 * not UTF-8 become the lone surrogates U+DC80 to U+DCFF, which no valid text has, and become those
 * bytes again.
 */
final class UnixText {
  private static final char ESCAPE = 0xdc00;

  private UnixText() {}

  static String decode(byte[] bytes) {
    CharsetDecoder decoder =
        UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    ByteBuffer in = ByteBuffer.wrap(bytes);
    CharBuffer out = CharBuffer.allocate(bytes.length);
    while (true) {
      CoderResult result = decoder.decode(in, out, true);
      if (!result.isError()) {
        return out.flip().toString();
      }
      for (int i = 0; i < result.length(); i++) {
        out.put((char) (ESCAPE + Byte.toUnsignedInt(in.get())));
      }
      decoder.reset();
    }
  }

  static byte[] encode(String text) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(text.length());
    int plain = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean paired = i > 0 && Character.isHighSurrogate(text.charAt(i - 1));
      if (c >= ESCAPE + 0x80 && c <= ESCAPE + 0xff && !paired) {
        out.writeBytes(text.substring(plain, i).getBytes(UTF_8));
        out.write(c - ESCAPE);
        plain = i + 1;
      }
    }
    out.writeBytes(text.substring(plain).getBytes(UTF_8));
    return out.toByteArray();
  }
}
