// Sends messages 1..N with the real Jakarta Mail, as its model says the program does.

import jakarta.mail.Authenticator;
import jakarta.mail.Message;
import jakarta.mail.MessagingException;
import jakarta.mail.PasswordAuthentication;
import jakarta.mail.Session;
import jakarta.mail.Transport;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;

public class JakartaMail {
    static final Map<String, String> options = new LinkedHashMap<>();
    static final List<String> failed = new ArrayList<>();
    static final Map<String, Integer> errors = new LinkedHashMap<>();
    static final String user = System.getenv("RELAY_USERNAME"), password = System.getenv("RELAY_PASSWORD");
    static Session session;

    public static void main(String[] arguments) throws Exception {
        // One flat JSON object within another, whose keys differ: a pattern reads it.
        Matcher pair = Pattern.compile("\"([\\w.]+)\": (?:\"([^\"]*)\"|([\\w.]+))").matcher(arguments[0]);
        while (pair.find()) {
            options.put(pair.group(1), pair.group(2) != null ? pair.group(2) : pair.group(3));
        }
        warmUp();
        session = made(Integer.parseInt(System.getenv("RELAY_PORT")));
        int messages = Integer.parseInt(options.get("messages"));
        int perConnection = Integer.parseInt(options.getOrDefault("per_connection", "1"));
        for (int first = 1; first <= messages; first += perConnection == 0 ? messages : perConnection) {
            if (perConnection == 1) {
                alone(first);
            } else {
                together(first, perConnection == 0 ? messages : Math.min(messages, first + perConnection - 1));
            }
            Thread.sleep(pause());
        }
        System.out.println("{\"version\": " + quoted(Transport.class.getPackage().getImplementationVersion()) + ", \"failed\": ["
            + String.join(", ", failed.stream().map(JakartaMail::quoted).toList()) + "], \"errors\": {"
            + String.join(", ", errors.entrySet().stream().map(each -> quoted(each.getKey()) + ": " + each.getValue()).toList())
            + "}}");
        System.exit(0);
    }

    // The JVM loads and compiles as it goes: some messages to a stand-in first, so that the time of those to the relay is steady.
    static void warmUp() throws Exception {
        try (ServerSocket listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Thread answering = new Thread(() -> {
                try {
                    while (true) {
                        answer(listening.accept());
                    }
                } catch (IOException closed) {
                    return;
                }
            });
            answering.start();
            session = made(listening.getLocalPort());
            for (int number = 1; number <= 60; number++) {
                Transport.send(message(number), user, password);
            }
        }
    }

    static void answer(Socket socket) throws IOException {
        try (socket) {
            BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream()));
            OutputStream out = socket.getOutputStream();
            out.write("220 stand-in\r\n".getBytes());
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                if (line.equals("DATA")) {
                    out.write("354 go on\r\n".getBytes());
                    while (!in.readLine().equals(".")) {
                        continue;
                    }
                }
                String first = line.split(" ")[0];
                out.write((first.equals("EHLO") ? "250-stand-in\r\n250 AUTH PLAIN\r\n" : first.equals("AUTH") ? "235 in\r\n"
                    : first.equals("QUIT") ? "221 bye\r\n" : "250 done\r\n").getBytes());
                if (first.equals("QUIT")) {
                    return;
                }
            }
        }
    }

    // What trusts the relay's certificate alone. (The library compares names with DNS entries only, and the relay is 127.0.0.1.)
    static SSLSocketFactory trusting(String path) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (InputStream file = Files.newInputStream(Path.of(path))) {
            store.setCertificateEntry("relay", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, managers.getTrustManagers(), null);
        return context.getSocketFactory();
    }

    static Session made(int port) throws Exception {
        Properties properties = new Properties();
        properties.put("mail.smtp.host", System.getenv("RELAY_HOST"));
        properties.put("mail.smtp.port", String.valueOf(port));
        properties.put("mail.smtp.auth", "true");

        if (!String.valueOf(port).equals(System.getenv("RELAY_PORT"))) {
            properties.put("mail.smtp.auth.mechanisms", "PLAIN");
            return Session.getInstance(properties);
        }
        String tls = System.getenv("RELAY_TLS");
        if (!tls.equals("none")) {
            properties.put("mail.smtp.ssl.socketFactory", trusting(System.getenv("RELAY_CA")));
        }
        properties.put("mail.smtp.starttls.enable", String.valueOf(tls.equals("starttls")));
        properties.put("mail.smtp.ssl.enable", String.valueOf(tls.equals("implicit")));
        options.forEach((name, value) -> {
            if (name.startsWith("mail.") && !value.isEmpty() && !value.equals("0")) {
                properties.put(name, value);
            }
        });
        if (!flag("Authenticator", true)) {
            return Session.getInstance(properties);
        }
        return Session.getInstance(properties, new Authenticator() {
            @Override
            protected PasswordAuthentication getPasswordAuthentication() {
                return new PasswordAuthentication(user, password);
            }
        });
    }

    static void alone(int number) {
        try {
            if (flag("Authenticator", true)) {
                Transport.send(message(number));
            } else {
                Transport.send(message(number), user, password);
            }
        } catch (Exception error) {
            lost(number, error);
        }
    }

    static void together(int first, int last) throws Exception {
        Transport transport = session.getTransport("smtp");
        try {
            connect(transport);
        } catch (MessagingException error) {
            errors.merge("connect: " + said(error), 1, Integer::sum);
        }
        for (int number = first; number <= last; number++) {
            try {
                if (flag("isConnected", false) && !transport.isConnected()) {
                    connect(transport);
                }
                MimeMessage message = message(number);
                message.saveChanges();
                transport.sendMessage(message, message.getAllRecipients());
            } catch (Exception error) {
                lost(number, error);
            }
        }
        try {
            transport.close();
        } catch (MessagingException error) {
            errors.merge("close: " + said(error), 1, Integer::sum);
        }
    }

    static void connect(Transport transport) throws MessagingException {
        if (flag("Authenticator", true)) {
            transport.connect();
        } else {
            transport.connect(user, password);
        }
    }

    static MimeMessage message(int number) throws MessagingException {
        MimeMessage message = new MimeMessage(session);
        message.setFrom(new InternetAddress("sender@example.com"));
        message.setRecipients(Message.RecipientType.TO, "m" + number + "@example.com");
        message.setSubject("a message of the simulation");
        message.setHeader("X-Relaysim-Id", String.valueOf(number));
        message.setText("It is as short as it can be.");
        return message;
    }

    static void lost(int number, Exception error) {
        failed.add(String.valueOf(number));
        errors.merge(said(error), 1, Integer::sum);
    }

    static String said(Exception error) {
        return error.getClass().getSimpleName() + ": " + String.valueOf(error.getMessage()).strip();
    }

    static boolean flag(String name, boolean otherwise) {
        return Boolean.parseBoolean(options.getOrDefault(name, String.valueOf(otherwise)));
    }

    static long pause() {
        String given = options.getOrDefault("pause", "0");
        double number = Double.parseDouble(given.replaceAll("[a-z]+$", ""));
        return Math.round(number * (given.endsWith("ms") ? 1 : 1000));
    }

    static String quoted(String text) {
        return "\"" + String.valueOf(text).replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n").replace("\r", "") + "\"";
    }
}
