"""WP Mail SMTP's settings as constants of wp-config.php; its rate limiting has none that is public,
so it is told in words.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...strategies.libraries.wp_mail_smtp import WINDOWS, WordPress

CONSTANTS = """\
// wp-config.php, for WP Mail SMTP. Relay and login come from the environment.
define('WPMS_ON', true);
define('WPMS_MAILER', 'smtp');
define('WPMS_SMTP_HOST', getenv('RELAY_HOST') ?: 'smtp.mailersend.net');
define('WPMS_SMTP_PORT', (int) (getenv('RELAY_PORT') ?: 587));
define('WPMS_SSL', 'tls'); // STARTTLS
define('WPMS_SMTP_AUTH', true);
define('WPMS_SMTP_USER', getenv('RELAY_USERNAME'));
define('WPMS_SMTP_PASS', getenv('RELAY_PASSWORD'));
"""


def snippet(options: Mapping[str, object]) -> str:
    """PHP, without its opening tag. ValueError for impossible options."""
    chosen = WordPress(**{**WordPress.options, **options})  # type: ignore[arg-type]
    if not chosen.rate_limit or not chosen.limits:
        return CONSTANTS
    limits = ", ".join(
        f"{chosen.limits[name]} a {name}" for name in WINDOWS if name in chosen.limits
    )
    return CONSTANTS + f"// WP Mail SMTP > Settings > Misc > Email Rate Limiting: on, {limits}\n"
