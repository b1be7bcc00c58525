package dev.adit.ssh;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.ssh.transport.Buffers;
import io.netty.util.ResourceLeakDetector;
import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Fails a test class behind which a buffer was collected that nobody had released. A leak is seen
 * when the collector has run, so it may be that of a class before: the report says where the buffer
 * came from. On for all tests of the module, by {@code pom.xml}.
 */
public final class LeakWatch implements AfterAllCallback {
  private static final Queue<String> LEAKS = new ConcurrentLinkedQueue<>();

  @Override
  public void afterAll(ExtensionContext context) throws InterruptedException {
    awaitCollection();
    // The detector reports what it finds when it has a new buffer to watch.
    Buffers.ALLOCATOR.directBuffer(1).release();
    List<String> leaks = new ArrayList<>();
    for (String leak; (leak = LEAKS.poll()) != null; ) {
      leaks.add(leak);
    }
    assertThat(leaks).as("buffers that were never released").isEmpty();
  }

  /** Until the collector has told which of the unreachable objects it has found. */
  private static void awaitCollection() throws InterruptedException {
    var told = new ReferenceQueue<Object>();
    var unreachable = new PhantomReference<>(new Object(), told);
    while (told.remove(100) != unreachable) {
      System.gc();
    }
  }

  /** Netty makes it by its name: {@code -Dio.netty.customResourceLeakDetector}. */
  public static final class Detector<T> extends ResourceLeakDetector<T> {
    // Netty looks for both.

    public Detector(Class<?> resourceType, int samplingInterval) {
      super(resourceType, samplingInterval);
    }

    @SuppressWarnings({"deprecation", "unused"})
    public Detector(Class<?> resourceType, int samplingInterval, long maxActive) {
      this(resourceType, samplingInterval);
    }

    @Override
    protected void reportTracedLeak(String resourceType, String records) {
      LEAKS.add(resourceType + records);
    }

    @Override
    protected void reportUntracedLeak(String resourceType) {
      LEAKS.add(resourceType);
    }
  }
}
