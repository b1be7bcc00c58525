package dev.adit.config;

import dev.adit.ssh.Destination;
import dev.adit.ssh.Target;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the command line says beside settings.
 *
 * @param destination the server
 * @param command the words behind it
 * @param configFile the argument of -F, or null
 * @param logFile the argument of -E, or null
 * @param stdioForward the argument of -W, or null
 */
public record CommandLine(
    Destination destination,
    List<String> command,
    @Nullable String configFile,
    @Nullable String logFile,
    @Nullable Target stdioForward) {}
