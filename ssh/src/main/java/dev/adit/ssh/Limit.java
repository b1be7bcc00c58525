package dev.adit.ssh;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A bound on what somebody outside can make us hold, do or wait for. The constants of each room
 * stand together in its table ({@code TransportLimits} and its like), what can be configured stands
 * where it is configured, and docs/limits.md is written from all of them by {@code LimitsTest}.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.FIELD)
public @interface Limit {

  /** What is bounded, and why at this value where that isn't plain. */
  String bounds();

  /** What the value counts where the bounded things don't say: bytes, bits, seconds. */
  String unit() default "";

  /** What happens beyond it. */
  String beyond();

  /** {@code Class.method} of each test that fails without it. */
  String[] provenBy();
}
