"""How Chromium is started for a kiosk, and the managed policy that makes it one.

The policy is what holds: it is the machine's, a visitor can't change it, and it grants microphone,
camera and sound to one origin without asking. The switches keep Chromium from showing anything of
its own.
"""

import json
from pathlib import Path
from urllib.parse import urlsplit

POLICY_FOLDER = Path("/etc/chromium/policies/managed")
POLICY_FILE = "presencia-kiosk.json"

_OFF = (
    "TranslateEnabled",
    "PasswordManagerEnabled",
    "AutofillAddressEnabled",
    "AutofillCreditCardEnabled",
    "MetricsReportingEnabled",
    "SpellcheckEnabled",
    "DefaultBrowserSettingEnabled",
    "PrintingEnabled",
    "ComponentUpdatesEnabled",
    "SearchSuggestEnabled",
    "AlternateErrorPagesEnabled",
    "BackgroundModeEnabled",
    "PromotionsEnabled",
    "AllowFileSelectionDialogs",
    "BookmarkBarEnabled",
    "EditBookmarksEnabled",
    "ShowHomeButton",
    "SafeBrowsingExtendedReportingEnabled",
    "UserFeedbackAllowed",
)

_SWITCHES = (
    "--kiosk",
    "--no-first-run",
    "--no-default-browser-check",
    "--noerrdialogs",
    "--disable-session-crashed-bubble",
    "--hide-crash-restore-bubble",
    "--disable-infobars",
    "--disable-pinch",
    "--overscroll-history-navigation=0",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--password-store=basic",
    "--disk-cache-size=33554432",
    "--ozone-platform-hint=auto",
    # A machine without a network has no address but 127.0.0.1: calls go over that.
    "--allow-loopback-in-peer-connection",
    "--enable-precise-memory-info",
    "--disable-features=WebRtcHideLocalIpsWithMdns,MediaRouter,Translate,OverscrollHistoryNavigation",
)


def policy(origin: str) -> dict[str, object]:
    """Chromium's managed policy for a kiosk that shows one origin.

    Args:
        origin: As "http://127.0.0.1:8080".
    """
    return {
        # Off, but for these: whoever is not listed is refused without being asked.
        "AudioCaptureAllowed": False,
        "AudioCaptureAllowedUrls": [origin],
        "VideoCaptureAllowed": False,
        "VideoCaptureAllowedUrls": [origin],
        "AutoplayAllowed": False,
        "AutoplayAllowlist": [origin],
        "WebRtcLocalIpsAllowedUrls": [origin],
        "URLBlocklist": ["*"],
        "URLAllowlist": [origin],
        "DefaultPopupsSetting": 2,
        "DefaultNotificationsSetting": 2,
        "DefaultGeolocationSetting": 2,
        "DefaultSensorsSetting": 2,
        "DefaultWebUsbGuardSetting": 2,
        "DefaultFileSystemReadGuardSetting": 2,
        "BrowserSignin": 0,
        "SyncDisabled": True,
        "IncognitoModeAvailability": 1,
        "DeveloperToolsAvailability": 2,
        "DownloadRestrictions": 3,
        "NetworkPredictionOptions": 2,
        "RestoreOnStartup": 5,
        "DnsOverHttpsMode": "off",
        "ExtensionInstallBlocklist": ["*"],
        "SavingBrowserHistoryDisabled": True,
        **dict.fromkeys(_OFF, False),
    }


def policy_text(origin: str) -> str:
    """The policy as the file that Chromium reads."""
    return json.dumps(policy(origin), indent=2) + "\n"


def has_policy(origin: str, folder: Path = POLICY_FOLDER) -> bool:
    """Whether this machine's Chromium lets the origin use the microphone without asking."""
    for file in sorted(folder.glob("*.json")):
        try:
            listed = json.loads(file.read_text("utf-8")).get("AudioCaptureAllowedUrls", [])
        except (OSError, ValueError, AttributeError):
            continue
        if origin in listed:
            return True
    return False


def command(chromium: str, url: str, profile: Path, extra: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The command line of the kiosk's browser.

    Args:
        chromium: The program.
        url: Of the kiosk's page.
        profile: A folder of its own, empty: nothing is left of the browser before.
        extra: Further switches.
    """
    return (chromium, *_SWITCHES, f"--user-data-dir={profile}", *extra, url)


def origin_of(url: str) -> str:
    """The origin of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
