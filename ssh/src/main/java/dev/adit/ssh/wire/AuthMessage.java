package dev.adit.ssh.wire;

import java.util.ArrayList;
import java.util.List;

/** The messages of the authentication protocol: RFC 4252 and RFC 4256. */
public sealed interface AuthMessage extends Message {

  /** RFC 4252 section 5; the fields of the method are left as they are. */
  record UserauthRequest(String user, String service, String method, byte[] methodFields)
      implements AuthMessage {
    public static final MessageType<UserauthRequest> TYPE =
        new MessageType<>(
            MessageNumbers.USERAUTH_REQUEST, "SSH_MSG_USERAUTH_REQUEST", UserauthRequest::read);

    static UserauthRequest read(WireReader in) throws MalformedDataException {
      return new UserauthRequest(in.readUtf8(), in.readName(), in.readName(), in.readRest());
    }

    @Override
    public MessageType<UserauthRequest> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeString(user);
      out.writeString(service);
      out.writeString(method);
      out.writeBytes(methodFields);
    }
  }

  /** RFC 4252 section 5.1. */
  record UserauthFailure(List<String> methodsLeft, boolean partialSuccess) implements AuthMessage {
    public static final MessageType<UserauthFailure> TYPE =
        new MessageType<>(
            MessageNumbers.USERAUTH_FAILURE, "SSH_MSG_USERAUTH_FAILURE", UserauthFailure::read);

    static UserauthFailure read(WireReader in) throws MalformedDataException {
      return new UserauthFailure(in.readNameList(), in.readBoolean());
    }

    @Override
    public MessageType<UserauthFailure> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeNameList(methodsLeft);
      out.writeBoolean(partialSuccess);
    }
  }

  /** RFC 4252 section 5.1. */
  record UserauthSuccess() implements AuthMessage {
    public static final MessageType<UserauthSuccess> TYPE =
        new MessageType<>(
            MessageNumbers.USERAUTH_SUCCESS, "SSH_MSG_USERAUTH_SUCCESS", UserauthSuccess::read);

    static UserauthSuccess read(WireReader in) {
      return new UserauthSuccess();
    }

    @Override
    public MessageType<UserauthSuccess> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {}
  }

  /** RFC 4252 section 5.4. */
  record UserauthBanner(String text, String language) implements AuthMessage {
    public static final MessageType<UserauthBanner> TYPE =
        new MessageType<>(
            MessageNumbers.USERAUTH_BANNER, "SSH_MSG_USERAUTH_BANNER", UserauthBanner::read);

    static UserauthBanner read(WireReader in) throws MalformedDataException {
      return new UserauthBanner(in.readText(), in.readText());
    }

    @Override
    public MessageType<UserauthBanner> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeString(text);
      out.writeString(language);
    }
  }

  /** RFC 4252 section 7: the key would be accepted. */
  record UserauthPkOk(String algorithm, byte[] publicKey) implements AuthMessage {
    public static final MessageType<UserauthPkOk> TYPE =
        new MessageType<>(60, "SSH_MSG_USERAUTH_PK_OK", UserauthPkOk::read);

    static UserauthPkOk read(WireReader in) throws MalformedDataException {
      return new UserauthPkOk(in.readName(), in.readString());
    }

    @Override
    public MessageType<UserauthPkOk> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeString(algorithm);
      out.writeString(publicKey);
    }
  }

  /** RFC 4252 section 8: the password has expired. */
  record UserauthPasswdChangereq(String prompt, String language) implements AuthMessage {
    public static final MessageType<UserauthPasswdChangereq> TYPE =
        new MessageType<>(60, "SSH_MSG_USERAUTH_PASSWD_CHANGEREQ", UserauthPasswdChangereq::read);

    static UserauthPasswdChangereq read(WireReader in) throws MalformedDataException {
      return new UserauthPasswdChangereq(in.readText(), in.readText());
    }

    @Override
    public MessageType<UserauthPasswdChangereq> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeString(prompt);
      out.writeString(language);
    }
  }

  /** One question of an info request: what to show, and whether the answer may be seen. */
  record Prompt(String text, boolean echo) {}

  /** RFC 4256 section 3.2: questions for the user. */
  record UserauthInfoRequest(String name, String instruction, String language, List<Prompt> prompts)
      implements AuthMessage {
    public static final MessageType<UserauthInfoRequest> TYPE =
        new MessageType<>(60, "SSH_MSG_USERAUTH_INFO_REQUEST", UserauthInfoRequest::read);

    static UserauthInfoRequest read(WireReader in) throws MalformedDataException {
      String name = in.readText();
      String instruction = in.readText();
      String language = in.readText();
      int count = in.readUint32AtMost(WireLimits.MAX_PROMPTS, "the number of prompts");
      List<Prompt> prompts = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        prompts.add(new Prompt(in.readText(), in.readBoolean()));
      }
      return new UserauthInfoRequest(name, instruction, language, prompts);
    }

    @Override
    public MessageType<UserauthInfoRequest> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeString(name);
      out.writeString(instruction);
      out.writeString(language);
      out.writeUint32(prompts.size());
      for (Prompt prompt : prompts) {
        out.writeString(prompt.text());
        out.writeBoolean(prompt.echo());
      }
    }
  }

  /** RFC 4256 section 3.4: the user's answers, in the order of the questions. */
  record UserauthInfoResponse(List<String> responses) implements AuthMessage {
    public static final MessageType<UserauthInfoResponse> TYPE =
        new MessageType<>(61, "SSH_MSG_USERAUTH_INFO_RESPONSE", UserauthInfoResponse::read);

    static UserauthInfoResponse read(WireReader in) throws MalformedDataException {
      int count = in.readUint32AtMost(WireLimits.MAX_PROMPTS, "the number of responses");
      List<String> responses = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        responses.add(in.readUtf8());
      }
      return new UserauthInfoResponse(responses);
    }

    @Override
    public MessageType<UserauthInfoResponse> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeUint32(responses.size());
      responses.forEach(out::writeString);
    }
  }
}
