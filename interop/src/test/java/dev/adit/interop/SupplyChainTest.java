package dev.adit.interop;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InvalidClassException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.classfile.constantpool.PoolEntry;
import java.lang.classfile.constantpool.Utf8Entry;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the programs are made of, and how they are confined. */
class SupplyChainTest {
  private static final Path ROOT = Repository.root();

  /** What reads objects out of bytes, and so runs what a stranger has put together. */
  private static final Set<String> DESERIALIZERS =
      Set.of(
          "java/io/ObjectInputStream",
          "java/io/ObjectInput",
          "java/io/ObjectOutputStream",
          "java/io/Externalizable",
          "java/beans/XMLDecoder",
          "java/rmi/MarshalledObject",
          "javax/crypto/SealedObject",
          "java/security/SignedObject");

  @Test
  void everyLibraryOfTheProgramsIsInTheBillOfMaterials() throws Exception {
    Path bill = ROOT.resolve("app/target/adit.cdx.json");
    assertThat(bill).as("mvn package makes it").exists();
    String text = Files.readString(bill);
    assertThat(text).contains("\"bomFormat\" : \"CycloneDX\"");
    try (Stream<Path> jars = Files.list(ROOT.resolve("app/target/libraries"))) {
      for (Path jar : jars.toList()) {
        // name-version.jar or name-version-classifier.jar: the address has name@version.
        String name = jar.getFileName().toString().replaceAll("-(\\d[\\w.]*)(-.*)?\\.jar$", "@$1");
        assertThat(text).as(jar.toString()).contains("/" + name);
      }
    }
    assertThat(text).doesNotContain("junit", "assertj");
  }

  @ParameterizedTest
  @ValueSource(strings = {"ssh", "app"})
  void noObjectIsReadOutOfBytes(String module) throws Exception {
    List<String> found = new ArrayList<>();
    int classes = 0;
    try (Stream<Path> files = Files.walk(ROOT.resolve(module + "/target/classes"))) {
      for (Path file : files.filter(f -> f.toString().endsWith(".class")).toList()) {
        classes++;
        var parsed = ClassFile.of().parse(file);
        for (PoolEntry entry : parsed.constantPool()) {
          if ((entry instanceof ClassEntry type && DESERIALIZERS.contains(type.asInternalName()))
              || (entry instanceof Utf8Entry text && text.equalsString("readObject"))) {
            found.add(file + ": " + entry);
          }
        }
        // Exceptions and enumerations are serializable by birth; nothing chooses to be.
        if (parsed.interfaces().stream()
            .anyMatch(type -> type.asInternalName().equals("java/io/Serializable"))) {
          found.add(file + " implements Serializable");
        }
      }
    }
    assertThat(found).isEmpty();
    assertThat(classes).isGreaterThan(50);
  }

  /** The launchers' flag, with a JVM of its own. */
  @ParameterizedTest
  @ValueSource(strings = {"client.options", "gateway.options"})
  void theJvmRefusesToReadObjects(String options) throws Exception {
    List<String> flags;
    try (Stream<String> lines = Files.lines(ROOT.resolve("app/target/adit", options))) {
      flags = lines.filter(line -> line.startsWith("-Djdk.serialFilter=")).toList();
    }
    assertThat(flags).hasSize(1);
    String java = Path.of(System.getProperty("java.home"), "bin/java").toString();
    String classes = ROOT.resolve("interop/target/test-classes").toString();
    var process =
        new ProcessBuilder(java, flags.getFirst(), "-cp", classes, Reader.class.getName())
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    assertThat(said).contains("REJECTED");
  }

  /** Reads an object, or is kept from it. */
  static final class Reader {
    public static void main(String[] arguments) throws Exception {
      var bytes = new ByteArrayOutputStream();
      try (var out = new ObjectOutputStream(bytes)) {
        out.writeObject(new ArrayList<>(List.of("a")));
      }
      try (var in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
        System.out.println("read " + in.readObject());
        System.exit(1);
      } catch (InvalidClassException e) {
        System.out.println(e.getMessage());
      }
    }
  }

  // ---- systemd --------------------------------------------------------------------------------

  /** The units as docs/systemd.md installs them, but that the program is this clone's. */
  private static List<Path> units(Scratch scratch) throws Exception {
    List<Path> units = new ArrayList<>();
    for (String name : List.of("aditd.service", "aditd.socket")) {
      String text = Files.readString(ROOT.resolve("systemd/" + name));
      assertThat(text).contains(name.endsWith("service") ? "=/opt/adit/aditd " : "ListenStream");
      units.add(scratch.write(name, text.replace("=/opt/adit/", "=" + ROOT + "/")));
    }
    return units;
  }

  @Test
  void systemdUnderstandsTheUnits() throws Exception {
    try (var scratch = new Scratch()) {
      var analyze =
          Program.of(Judges.require("systemd-analyze"), "verify", "--man=no")
              .arguments(units(scratch).toArray());
      try (var running = analyze.noStdin().start()) {
        assertThat(running.exitCode()).as(running.stderr()).isZero();
        // Of an unknown keyword it only warns.
        assertThat(running.stderr()).doesNotContain("aditd.s");
      }
    }
  }

  @Test
  void theServiceIsConfinedAsFarAsAJvmCanBe() throws Exception {
    try (var scratch = new Scratch()) {
      String said =
          Program.of(
                  Judges.require("systemd-analyze"),
                  "security",
                  "--offline=true",
                  "--no-pager",
                  "--threshold=15",
                  units(scratch).getFirst())
              .run();
      Set<String> open =
          said.lines()
              .filter(line -> line.startsWith("\u2717"))
              .map(line -> line.split("\\s+", -1)[1])
              .collect(Collectors.toSet());
      assertThat(open)
          .contains("MemoryDenyWriteExecute=")
          .isSubsetOf(
              // A JVM writes machine code while it runs, and looks at the machine that it runs on.
              "MemoryDenyWriteExecute=",
              "ProcSubset=",
              // A gateway is there for the network; whom it serves and dials is for its own config.
              "PrivateNetwork=",
              "IPAddressDeny=",
              "RestrictAddressFamilies=~AF_(INET|INET6)",
              "RestrictAddressFamilies=~AF_UNIX",
              // It needs Java from the host; and ProtectClock adds a clock that can only be read.
              "RootDirectory=/RootImage=",
              "DeviceAllow=");
    }
  }

  /** The sample that docs/systemd.md begins with. */
  @Test
  void theSampleConfigurationIsRight() throws Exception {
    try (var scratch = new Scratch()) {
      Path key = scratch.path("ssh_host_ed25519_key");
      Program.of(Keys.keygen(), "-q", "-t", "ed25519", "-N", "", "-f", key).run();
      String sample = Files.readString(ROOT.resolve("systemd/sshd_config"));
      assertThat(sample).contains("/etc/adit/ssh_host_ed25519_key");
      Path config =
          scratch.write(
              "sshd_config",
              sample
                  .replace("/etc/adit/ssh_host_ed25519_key", key.toString())
                  .replace("/var/log/aditd/", scratch.dir() + "/"));
      assertThat(Program.of(ROOT.resolve("aditd"), "-T", "-f", config).run().lines())
          .contains(
              "tunnelusers ada bob",
              "permitopen db.internal:5432 web.internal:80",
              "passwordauthentication no");
    }
  }
}
