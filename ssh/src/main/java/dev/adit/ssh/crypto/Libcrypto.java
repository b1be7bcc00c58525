package dev.adit.ssh.crypto;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.netty.buffer.ByteBuf;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The system's OpenSSL 3, called directly: it works in place on the packet's own memory, makes no
 * object a packet, and is at full speed from the first byte, when the JIT compiler hasn't seen
 * anything yet. Loaded when first asked for.
 *
 * <p>Every function is called with six 64-bit arguments and gives back one, whatever its prototype.
 * The calling conventions of the 64-bit systems allow that: arguments that a function doesn't have
 * are left where they are, and of an {@code int} only the low half is looked at. So one method
 * handle serves all but what takes long, and setting up a handle is what costs at start.
 */
final class Libcrypto {
  private static final Logger log = LoggerFactory.getLogger(Libcrypto.class);

  /** The names under which systems have OpenSSL 3. */
  private static final List<String> LIBRARIES =
      List.of("libcrypto.so.3", "libcrypto.3.dylib", "libcrypto-3-x64.dll");

  private static final long OPENSSL_3 = 0x30000000L;

  /** EVP_CTRL_AEAD_GET_TAG and EVP_CTRL_AEAD_SET_TAG of openssl/evp.h. */
  static final int GET_TAG = 0x10;

  static final int SET_TAG = 0x11;

  /** Null where there is no usable library. */
  private static final @Nullable SymbolLookup LIBRARY = load();

  private static final boolean AVAILABLE = LIBRARY != null && isUsable();

  private Libcrypto() {}

  static boolean isAvailable() {
    return AVAILABLE;
  }

  /** Such as {@code OpenSSL 3.0.19 27 Jan 2026}. */
  static String version() {
    long text = call(Functions.OpenSSL_version, 0, 0, 0, 0, 0, 0);
    return MemorySegment.ofAddress(text).reinterpret(256).getString(0, StandardCharsets.US_ASCII);
  }

  private static @Nullable SymbolLookup load() {
    if (!JAVA_LONG.order().equals(ByteOrder.LITTLE_ENDIAN)) {
      return null;
    }
    for (String name : LIBRARIES) {
      try {
        return SymbolLookup.libraryLookup(name, Arena.global());
      } catch (IllegalArgumentException notHere) {
        log.debug("no {} here", name);
      } catch (RuntimeException | LinkageError e) {
        // Native access is forbidden, or this JVM has no linker.
        log.debug("native code cannot be called here", e);
        return null;
      }
    }
    return null;
  }

  private static boolean isUsable() {
    try {
      return call(Functions.OpenSSL_version_num, 0, 0, 0, 0, 0, 0) >= OPENSSL_3;
    } catch (LinkageError | RuntimeException e) {
      log.debug("the OpenSSL library here is not what was expected", e);
      return false;
    }
  }

  /** The functions by their C names. */
  @SuppressWarnings("ConstantName")
  private static final class Functions {
    static final MethodHandle CALL =
        Linker.nativeLinker()
            .downcallHandle(
                FunctionDescriptor.of(
                    JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
                // Without a thread state transition: none of the calls takes long or calls back.
                Linker.Option.critical(false));

    static final MemorySegment OpenSSL_version_num = find("OpenSSL_version_num");
    static final MemorySegment OpenSSL_version = find("OpenSSL_version");
    static final MemorySegment EVP_CIPHER_CTX_new = find("EVP_CIPHER_CTX_new");
    static final MemorySegment EVP_CIPHER_CTX_free = find("EVP_CIPHER_CTX_free");
    static final MemorySegment EVP_CIPHER_CTX_reset = find("EVP_CIPHER_CTX_reset");
    static final MemorySegment EVP_CIPHER_CTX_ctrl = find("EVP_CIPHER_CTX_ctrl");
    static final MemorySegment EVP_CipherInit_ex = find("EVP_CipherInit_ex");
    static final MemorySegment EVP_CipherUpdate = find("EVP_CipherUpdate");
    static final MemorySegment EVP_CipherFinal_ex = find("EVP_CipherFinal_ex");
    static final MemorySegment EVP_MAC_fetch = find("EVP_MAC_fetch");
    static final MemorySegment EVP_MAC_free = find("EVP_MAC_free");
    static final MemorySegment EVP_MAC_CTX_new = find("EVP_MAC_CTX_new");
    static final MemorySegment EVP_MAC_CTX_free = find("EVP_MAC_CTX_free");
    static final MemorySegment EVP_MAC_init = find("EVP_MAC_init");
    static final MemorySegment EVP_MAC_update = find("EVP_MAC_update");
    static final MemorySegment EVP_MAC_final = find("EVP_MAC_final");
  }

  private static final class LongFunctions {
    static final MethodHandle CALL =
        Linker.nativeLinker()
            .downcallHandle(
                FunctionDescriptor.of(
                    JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));
  }

  static MemorySegment find(String name) {
    SymbolLookup library = LIBRARY;
    if (library == null) {
      throw new IllegalStateException("OpenSSL is not there");
    }
    return library.find(name).orElseThrow(() -> new UnsatisfiedLinkError(name));
  }

  /** Calls a function; what it doesn't take is 0. */
  static long call(MemorySegment function, long a, long b, long c, long d, long e, long f) {
    try {
      return (long) Functions.CALL.invokeExact(function, a, b, c, d, e, f);
    } catch (Throwable t) {
      throw new LinkageError("a native call failed", t);
    }
  }

  /**
   * Calls a function that may take milliseconds: as other native code is called, so that the
   * collector doesn't wait for it.
   */
  static long callLong(MemorySegment function, long a, long b, long c, long d, long e, long f) {
    try {
      return (long) LongFunctions.CALL.invokeExact(function, a, b, c, d, e, f);
    } catch (Throwable t) {
      throw new LinkageError("a native call failed", t);
    }
  }

  /** Calls a function of up to six arguments that must give an int of 1, for success. */
  static void require(String name, MemorySegment function, long... arguments) {
    if (!succeeds(function, arguments)) {
      throw new IllegalStateException("OpenSSL failed: " + name);
    }
  }

  /** Whether a function of up to six arguments that gives an int gave 1, for success. */
  static boolean succeeds(MemorySegment function, long... arguments) {
    long[] all = Arrays.copyOf(arguments, 6);
    return (int) call(function, all[0], all[1], all[2], all[3], all[4], all[5]) == 1;
  }

  private static void require(long result, String what) {
    // The functions return an int, 1 for success; the register's upper half is undefined.
    if ((int) result != 1) {
      throw new IllegalStateException("OpenSSL failed: " + what);
    }
  }

  static long notNull(long pointer, String what) {
    if (pointer == 0) {
      throw new IllegalStateException("OpenSSL has no " + what);
    }
    return pointer;
  }

  /** The address of a packet's first byte, once it is sure that {@code length} bytes are there. */
  static long address(ByteBuf buffer, int index, int length) {
    if (index < 0 || length < 0 || length > buffer.capacity() - index) {
      throw new IndexOutOfBoundsException(
          "%d bytes at %d of a buffer of %d".formatted(length, index, buffer.capacity()));
    }
    if (buffer.hasMemoryAddress()) {
      return buffer.memoryAddress() + index;
    }
    if (!buffer.isDirect() || buffer.nioBufferCount() != 1) {
      throw new IllegalArgumentException("packets must stand in one direct buffer");
    }
    return MemorySegment.ofBuffer(buffer.nioBuffer(index, length)).address();
  }

  /** Memory for small things that native code reads and writes; freed when it is unreachable. */
  static ByteBuffer allocate(int length) {
    return ByteBuffer.allocateDirect(length).order(ByteOrder.nativeOrder());
  }

  static long addressOf(ByteBuffer direct) {
    return MemorySegment.ofBuffer(direct).address();
  }

  private static ByteBuffer copy(byte[] bytes) {
    return allocate(Math.max(1, bytes.length)).put(0, bytes);
  }

  private static void zero(ByteBuffer buffer) {
    for (int i = 0; i < buffer.capacity(); i++) {
      buffer.put(i, (byte) 0);
    }
  }

  /** A C string. */
  private static ByteBuffer text(String text) {
    return copy((text + '\0').getBytes(StandardCharsets.US_ASCII));
  }

  /**
   * One EVP_CIPHER_CTX. Its memory is freed when it is unreachable, so that no use of it can come
   * after that; {@link #wipe} takes the key out of it before. Not thread-safe.
   */
  static final class Cipher {
    private final long context;
    private final MemorySegment owner;
    private boolean wiped;
    private final ByteBuffer outLength = allocate(8);
    private final long outLengthAddress = addressOf(outLength);

    /**
     * @param function the function that names the cipher, such as {@code EVP_aes_128_gcm}
     * @param encrypt false to decrypt
     */
    Cipher(String function, byte[] key, boolean encrypt) {
      context = notNull(call(Functions.EVP_CIPHER_CTX_new, 0, 0, 0, 0, 0, 0), "memory");
      owner = owned(context, Functions.EVP_CIPHER_CTX_free);
      long type = notNull(call(find(function), 0, 0, 0, 0, 0, 0), function);
      ByteBuffer keyCopy = copy(key);
      require(
          call(
              Functions.EVP_CipherInit_ex,
              context,
              type,
              0,
              addressOf(keyCopy),
              0,
              encrypt ? 1 : 0),
          function);
      zero(keyCopy);
    }

    /** Starts a message. */
    void start(long ivAddress) {
      require(call(Functions.EVP_CipherInit_ex, context(), 0, 0, 0, ivAddress, -1), "IV");
    }

    /** Encrypts or decrypts; authenticates only, where {@code out} is 0. */
    void update(long out, long in, int length) {
      require(
          call(Functions.EVP_CipherUpdate, context(), out, outLengthAddress, in, length, 0),
          "cipher");
    }

    /** Ends an AEAD message; false if it was decrypted and its tag is wrong. */
    boolean end(long anyAddress) {
      return (int)
              call(Functions.EVP_CipherFinal_ex, context(), anyAddress, outLengthAddress, 0, 0, 0)
          == 1;
    }

    /** Takes the tag out, or sets the one to compare with. */
    void tag(int command, long address, int length) {
      require(
          call(Functions.EVP_CIPHER_CTX_ctrl, context(), command, length, address, 0, 0), "tag");
    }

    /** The key is gone from memory, and all other calls are refused. */
    void wipe() {
      wiped = true;
      call(Functions.EVP_CIPHER_CTX_reset, context, 0, 0, 0, 0, 0);
      Reference.reachabilityFence(owner);
    }

    private long context() {
      return usable(context, wiped);
    }
  }

  /** One EVP_MAC_CTX, freed as {@link Cipher} is. Not thread-safe. */
  static final class Mac {
    private final long context;
    private final MemorySegment owner;
    private boolean wiped;

    private Mac(String algorithm) {
      ByteBuffer name = text(algorithm);
      long type = notNull(call(Functions.EVP_MAC_fetch, 0, addressOf(name), 0, 0, 0, 0), algorithm);
      Reference.reachabilityFence(name);
      context = notNull(call(Functions.EVP_MAC_CTX_new, type, 0, 0, 0, 0, 0), "memory");
      call(Functions.EVP_MAC_free, type, 0, 0, 0, 0, 0); // the context has its own reference
      owner = owned(context, Functions.EVP_MAC_CTX_free);
    }

    /** Poly1305, whose key comes with each message. */
    static Mac poly1305() {
      return new Mac("POLY1305");
    }

    static Mac hmac(Hash hash, byte[] key) {
      var mac = new Mac("HMAC");
      ByteBuffer digest = text(hash.name());
      ByteBuffer parameter = text("digest");
      ByteBuffer keyCopy = copy(key);
      // Two OSSL_PARAM of 40 bytes each: name, type, data, data_size, return_size. The second is
      // all zero and ends the list.
      ByteBuffer parameters = allocate(80);
      parameters.putLong(0, addressOf(parameter));
      parameters.putInt(8, 4); // OSSL_PARAM_UTF8_STRING
      parameters.putLong(16, addressOf(digest));
      parameters.putLong(24, hash.name().length());
      require(
          call(
              Functions.EVP_MAC_init,
              mac.context,
              addressOf(keyCopy),
              key.length,
              addressOf(parameters),
              0,
              0),
          "HMAC");
      zero(keyCopy);
      Reference.reachabilityFence(digest);
      Reference.reachabilityFence(parameter);
      Reference.reachabilityFence(parameters);
      return mac;
    }

    /** Starts a message under the same key. */
    void start() {
      start(0, 0);
    }

    /** Starts a message under a new key. */
    void start(long keyAddress, int keyLength) {
      require(call(Functions.EVP_MAC_init, context(), keyAddress, keyLength, 0, 0, 0), "MAC key");
    }

    void update(long address, int length) {
      require(call(Functions.EVP_MAC_update, context(), address, length, 0, 0, 0), "MAC");
    }

    void end(long out, long lengthOut, int length) {
      require(call(Functions.EVP_MAC_final, context(), out, lengthOut, length, 0, 0), "MAC");
    }

    /** The key is gone from memory, and all other calls are refused. */
    void wipe() {
      if (!wiped) {
        // There is no reset; another key takes the place of the first.
        ByteBuffer noKey = allocate(64);
        start(addressOf(noKey), noKey.capacity() / 2);
        Reference.reachabilityFence(noKey);
        wiped = true;
      }
      Reference.reachabilityFence(owner);
    }

    private long context() {
      return usable(context, wiped);
    }
  }

  private static long usable(long context, boolean wiped) {
    if (wiped) {
      throw new IllegalStateException("used after close");
    }
    return context;
  }

  private static MemorySegment owned(long pointer, MemorySegment free) {
    return MemorySegment.ofAddress(pointer)
        .reinterpret(1, Arena.ofAuto(), segment -> call(free, segment.address(), 0, 0, 0, 0, 0));
  }
}
