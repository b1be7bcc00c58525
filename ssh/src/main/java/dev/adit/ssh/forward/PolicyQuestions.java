package dev.adit.ssh.forward;

import dev.adit.ssh.AccessPolicy;
import dev.adit.ssh.Decision;
import dev.adit.ssh.Listen;
import dev.adit.ssh.Target;
import java.net.InetAddress;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks a policy. One that throws has refused. */
record PolicyQuestions(AccessPolicy policy) {
  private static final Logger log = LoggerFactory.getLogger(PolicyQuestions.class);

  Decision<Target> connect(Target target) {
    return ask(() -> policy.connect(target));
  }

  Decision<InetAddress> dial(Target.Tcp target, InetAddress address) {
    return ask(() -> policy.dial(target, address));
  }

  Decision<Listen> listen(Listen asked) {
    return ask(() -> policy.listen(asked));
  }

  private <T> Decision<T> ask(Supplier<Decision<T>> question) {
    try {
      return question.get();
    } catch (RuntimeException e) {
      log.error("the policy of {} failed", policy.user(), e);
      return Decision.denied("internal error");
    }
  }
}
