package dev.adit.ssh.crypto;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * What one piece of work by OpenSSL needs. Closing it frees OpenSSL's objects, newest first, then
 * wipes the secrets, then frees the memory. Confined to a thread.
 */
final class NativeScratch implements AutoCloseable {

  /** One of OpenSSL's objects, and the function that frees it. */
  private record Owned(long pointer, MemorySegment free) {}

  private final Arena arena = Arena.ofConfined();
  private final List<MemorySegment> secrets = new ArrayList<>();
  private final Deque<Owned> owned = new ArrayDeque<>();

  MemorySegment bytes(int length) {
    return arena.allocate(Math.max(1, length));
  }

  MemorySegment copy(byte[] bytes) {
    return bytes(bytes.length).copyFrom(MemorySegment.ofArray(bytes));
  }

  /** A C string. */
  MemorySegment text(String text) {
    return arena.allocateFrom(text);
  }

  /** A {@code size_t} or a pointer that the function may change. */
  MemorySegment number(long value) {
    return arena.allocateFrom(JAVA_LONG, value);
  }

  MemorySegment secret(int length) {
    MemorySegment secret = bytes(length);
    secrets.add(secret);
    return secret;
  }

  MemorySegment secretCopy(byte[] bytes) {
    return secret(bytes.length).copyFrom(MemorySegment.ofArray(bytes));
  }

  /** Takes over one of OpenSSL's objects, or 0 if it has none to give; either is given back. */
  long own(long pointer, MemorySegment free) {
    owned.push(new Owned(pointer, free));
    return pointer;
  }

  /** A new EVP_MD_CTX. */
  long digestContext() {
    return Libcrypto.notNull(
        own(
            Libcrypto.call(Functions.EVP_MD_CTX_new, 0, 0, 0, 0, 0, 0),
            Functions.EVP_MD_CTX_free),
        "memory");
  }

  /** The functions that free take 0. */
  @Override
  public void close() {
    try {
      owned.forEach(each -> Libcrypto.call(each.free(), each.pointer(), 0, 0, 0, 0, 0));
    } finally {
      secrets.forEach(secret -> secret.fill((byte) 0));
      arena.close();
    }
  }

  /** The functions by their C names. */
  @SuppressWarnings("ConstantName")
  private static final class Functions {
    static final MemorySegment EVP_MD_CTX_new = Libcrypto.find("EVP_MD_CTX_new");
    static final MemorySegment EVP_MD_CTX_free = Libcrypto.find("EVP_MD_CTX_free");
  }
}
