<?php
// Sends messages 1..N with the real PHPMailer, as its model says the program does: one object, a failed send() caught.

declare(strict_types=1);

use PHPMailer\PHPMailer\Exception;
use PHPMailer\PHPMailer\PHPMailer;

require_once '/usr/share/php/libphp-phpmailer/autoload.php';

function seconds(string|int|float $given): float
{
    preg_match('/^([\d.]+)\s*(ms|s|m|h)?$/', (string) $given, $found);
    return (float) $found[1] * ['ms' => 0.001, 's' => 1, 'm' => 60, 'h' => 3600][$found[2] ?? 's'];
}

$given = json_decode($argv[1], true);
$options = $given['options'] + ['SMTPKeepAlive' => false, 'AuthType' => '', 'per_connection' => 0, 'pause' => 0];
$every = $options['SMTPKeepAlive'] ? $options['per_connection'] : 1;

$mail = new PHPMailer(true);
$mail->isSMTP();
$mail->Host = getenv('RELAY_HOST');
$mail->Port = (int) getenv('RELAY_PORT');
$mail->SMTPAuth = true;
$mail->Username = getenv('RELAY_USERNAME');
$mail->Password = getenv('RELAY_PASSWORD');
$mail->SMTPSecure = ['none' => '', 'starttls' => 'tls', 'implicit' => 'ssl'][getenv('RELAY_TLS')];
$mail->SMTPOptions = getenv('RELAY_CA') ? ['ssl' => ['cafile' => getenv('RELAY_CA')]] : [];
$mail->SMTPKeepAlive = $options['SMTPKeepAlive'];
$mail->AuthType = $options['AuthType'];

$failed = [];
$errors = [];
for ($id = 1; $id <= $given['messages']; $id++) {
    try {
        $mail->clearAllRecipients();
        $mail->clearCustomHeaders();
        $mail->setFrom('sender@example.com');
        $mail->addAddress("m$id@example.com");
        $mail->addCustomHeader('X-Relaysim-Id', (string) $id);
        $mail->Subject = 'a message of the simulation';
        $mail->Body = 'It is as short as it can be.';
        $mail->send();
    } catch (Exception $error) {
        $failed[] = (string) $id;
        $errors[$error->getMessage()] = ($errors[$error->getMessage()] ?? 0) + 1;
    }
    if ($every && $id % $every === 0) {
        if ($options['SMTPKeepAlive']) {
            $mail->smtpClose();
        }
        usleep((int) (seconds($options['pause']) * 1e6));
    }
}
unset($mail);
echo json_encode(['version' => PHPMailer::VERSION, 'failed' => $failed, 'errors' => (object) $errors]), "\n";
