package dev.adit.gateway;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds accounts by their names. Safe on any thread; may block. */
@FunctionalInterface
interface Accounts {

  /**
   * @param name as a client sent it: any text
   * @param tunnelUsers names that exist only here (TunnelUsers); where the system has the same
   *     name, the system's account counts
   * @return null if there is none of that name
   */
  @Nullable Account find(String name, Collection<String> tunnelUsers);

  /** The users of this system, from wherever it has them (NSS). */
  Accounts SYSTEM = new System();

  /** The system's users. */
  final class System implements Accounts {
    private static final Logger LOG = LoggerFactory.getLogger(Accounts.class);

    /** Native calls hold their carrier, so they don't run on virtual threads. */
    private final ExecutorService lookups =
        Executors.newFixedThreadPool(
            4, Thread.ofPlatform().daemon().name("adit-accounts-", 0).factory());

    private System() {}

    @Override
    public @Nullable Account find(String name, Collection<String> tunnelUsers) {
      if (!isPlain(name)) {
        return null;
      }
      var lookup = lookups.submit(() -> lookUp(name));
      Account account;
      try {
        account = lookup.get(GatewayLimits.ACCOUNT_SECONDS, TimeUnit.SECONDS);
      } catch (TimeoutException e) {
        lookup.cancel(true);
        LOG.error("getpwnam for {} takes longer than {} s", name, GatewayLimits.ACCOUNT_SECONDS);
        return null;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return null;
      } catch (ExecutionException e) {
        throw new IllegalStateException("the system's users can't be looked up", e);
      }
      if (account != null || !tunnelUsers.contains(name)) {
        return account;
      }
      return new Account(name, SystemUsers.ownUid(), List.of(), null, null, false);
    }

    private static @Nullable Account lookUp(String name) {
      var user = SystemUsers.byName(name);
      // NSS may answer to another spelling; what it answers goes into paths.
      if (user == null || !isPlain(user.name())) {
        return null;
      }
      var groups = new ArrayList<String>();
      for (int gid : SystemUsers.groups(user.name(), user.gid())) {
        var group = SystemUsers.groupName(gid);
        groups.add(group == null ? Integer.toUnsignedString(gid) : group);
      }
      return new Account(
          user.name(),
          user.uid(),
          groups,
          Path.of(user.home().isEmpty() ? "/" : user.home()),
          Path.of(user.shell().isEmpty() ? "/bin/sh" : user.shell()),
          user.uid() == SystemUsers.ownUid());
    }

    /** Whether a name can be part of a path without leading anywhere else (CVE-2026-48827). */
    static boolean isPlain(String name) {
      return !name.isEmpty()
          && name.length() <= GatewayLimits.MAX_USER_NAME
          && !name.startsWith("-")
          && !name.startsWith(".")
          && name.chars().noneMatch(c -> c == '/' || c == ':' || Character.isISOControl(c));
    }
  }
}
