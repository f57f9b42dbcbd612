"""PHPMailer's settings in PHP: the object, and the loop that closes its connection in time."""

from __future__ import annotations

from collections.abc import Mapping

from ... import units
from ...strategies.libraries.phpmailer import PHPMailer

OBJECT = """\
$mail = new PHPMailer\\PHPMailer\\PHPMailer(true);
$mail->isSMTP();
$mail->Host = getenv('RELAY_HOST') ?: 'smtp.mailersend.net';
$mail->Port = (int) (getenv('RELAY_PORT') ?: 587);
$mail->SMTPSecure = 'tls'; // STARTTLS
$mail->SMTPAuth = true;
$mail->Username = getenv('RELAY_USERNAME');
$mail->Password = getenv('RELAY_PASSWORD');
"""

LOOP = """
// $messages: a list of [sender, recipient, subject, body].
foreach ($messages as $index => [$from, $to, $subject, $body]) {
    $mail->clearAllRecipients();
    $mail->setFrom($from);
    $mail->addAddress($to);
    $mail->Subject = $subject;
    $mail->Body = $body;
    try {
        $mail->send();
    } catch (PHPMailer\\PHPMailer\\Exception $error) {
        error_log("$to: {$error->getMessage()}"); // nothing sends it again by itself
    }
"""


def snippet(options: Mapping[str, object]) -> str:
    """PHP, without its opening tag; ``$messages`` is what it expects to find. ValueError for
    impossible options.
    """
    chosen = PHPMailer(**{**PHPMailer.options, **options})  # type: ignore[arg-type]
    parts = ["// PHPMailer 6. Relay and login come from the environment.\n", OBJECT]
    if chosen.mechanism != "LOGIN":
        parts.append(
            f"$mail->AuthType = '{chosen.mechanism}'; // a round trip less than LOGIN, which it would take\n"
        )
    parts += [_keep_alive(chosen), LOOP, *_closing(chosen), "}\n", "$mail->smtpClose();\n"]
    return "".join(parts)


def _keep_alive(chosen: PHPMailer) -> str:
    if not chosen.keep_alive:
        return "$mail->SMTPKeepAlive = false; // a connection for each message\n"
    return "$mail->SMTPKeepAlive = true; // the loop below closes the connection\n"


def _closing(chosen: PHPMailer) -> list[str]:
    """What stands in the loop behind each message."""
    pause = f"usleep({round(chosen.pause * units.MICRO)}); // {units.spoken(round(chosen.pause * units.MICRO))}\n"
    if not chosen.keep_alive:
        return [f"    {pause}"] if chosen.pause else []
    if not chosen.per_connection:
        return []
    return [
        f"    if (($index + 1) % {chosen.per_connection} === 0) {{\n",
        "        $mail->smtpClose(); // the next send() connects anew\n",
        *([f"        {pause}"] if chosen.pause else []),
        "    }\n",
    ]
