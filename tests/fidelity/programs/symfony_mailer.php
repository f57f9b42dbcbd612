<?php
// Sends messages 1..N with the real Symfony Mailer, as its model says the program does: one transport, a failed send() caught.

declare(strict_types=1);

use Symfony\Component\Mailer\Exception\TransportExceptionInterface;
use Symfony\Component\Mailer\Mailer;
use Symfony\Component\Mailer\Transport;
use Symfony\Component\Mime\Email;

require_once '/usr/share/php/Symfony/Component/Mailer/autoload.php';

$given = json_decode($argv[1], true);
$options = $given['options'];
$tls = getenv('RELAY_TLS');

// As in MAILER_DSN: what the DSN does not know (max_per_second, in this version) is set on the transport.
$known = array_intersect_key($options, ['restart_threshold' => 0, 'restart_threshold_sleep' => 0, 'ping_threshold' => 0]);
$transport = Transport::fromDsn(sprintf(
    '%s://%s:%s@%s:%d%s',
    $tls === 'implicit' ? 'smtps' : 'smtp',
    rawurlencode(getenv('RELAY_USERNAME')),
    rawurlencode(getenv('RELAY_PASSWORD')),
    getenv('RELAY_HOST'),
    getenv('RELAY_PORT'),
    $known ? '?' . http_build_query($known) : ''
));
$transport->setMaxPerSecond((float) ($options['max_per_second'] ?? 0));
if (getenv('RELAY_CA')) {
    $transport->getStream()->setStreamOptions(['ssl' => ['cafile' => getenv('RELAY_CA')]]);
}
$mailer = new Mailer($transport);

$failed = [];
$errors = [];
for ($id = 1; $id <= $given['messages']; $id++) {
    $email = (new Email())
        ->from('sender@example.com')
        ->to("m$id@example.com")
        ->subject('a message of the simulation')
        ->text('It is as short as it can be.');
    $email->getHeaders()->addTextHeader('X-Relaysim-Id', (string) $id);
    try {
        $mailer->send($email);
    } catch (TransportExceptionInterface $error) {
        $failed[] = (string) $id;
        $errors[$error->getMessage()] = ($errors[$error->getMessage()] ?? 0) + 1;
    }
}
unset($mailer, $transport);
$version = trim((string) shell_exec('dpkg-query -W -f=\'${Version}\' php-symfony-mailer 2>/dev/null'));
echo json_encode(['version' => preg_replace('/[+-].*/', '', $version), 'failed' => $failed, 'errors' => (object) $errors]), "\n";
