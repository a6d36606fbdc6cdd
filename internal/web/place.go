package web

import (
	"crypto/rand"
	"net/http"
	"slices"
	"time"

	"github.com/mileusna/useragent"
)

// The cookies: of a session, of a sign-in under way, and of a browser's own random id.
const (
	SessionCookie = "keyturn"
	AttemptCookie = "keyturn_attempt"
	BrowserCookie = "keyturn_browser"
	// DeviceCookie holds the tokens by which the browser is remembered, joined by dots.
	DeviceCookie = "keyturn_device"
	// AppCookie holds the session of a mobile app from its sign-in to the app's code, and
	// opens nothing else.
	AppCookie = "keyturn_app"
)

// AppLife is how long browsers keep the cookie of a mobile app's sign-in, which is of use for
// a moment.
const AppLife = 10 * time.Minute

// SessionLife is how long browsers keep the cookie of a session, which ends by itself,
// at the same time at the latest.
const SessionLife = 24 * time.Hour

// DeviceLife is how long browsers keep the cookie of a remembered device: as long as any
// site may remember one. The device ends by itself, at its own time.
const DeviceLife = 30 * 24 * time.Hour

const (
	// browserLife is how long a browser keeps its id, renewed with each sign-in.
	browserLife = 400 * 24 * time.Hour // the longest that browsers allow
	browserForm = 26                   // letters of base32, 130 bits
)

// Browser is the browser's own random id; a browser without one gets one. The id names
// nobody and opens nothing: it tells a device that somebody used before from one that
// nobody did.
func (k *Kit) Browser(w http.ResponseWriter, r *http.Request) string {
	name := k.Cookie(r, BrowserCookie)
	if !browserName(name) {
		name = rand.Text()
	}
	k.PutCookie(w, BrowserCookie, name, browserLife)
	return name
}

func browserName(s string) bool {
	if len(s) != browserForm {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'A' || c > 'Z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}

// Agent says what a browser calls itself, in words, as "Chrome on Windows"; or the
// given words if it is none of those that people use. It is a label, and nothing is
// decided by it; it stands in mails, so what a header says goes there only by way of
// these two lists.
func Agent(r *http.Request, unknown string) string {
	ua := useragent.Parse(r.UserAgent())
	if !slices.Contains(browsers, ua.Name) {
		return unknown
	}
	if !slices.Contains(systems, ua.OS) {
		return ua.Name
	}
	return ua.Name + " on " + ua.OS
}

var (
	browsers = []string{
		useragent.Chrome, useragent.HeadlessChrome, useragent.Firefox, useragent.Safari, useragent.Edge, useragent.Opera,
		useragent.OperaMini, useragent.OperaTouch, useragent.Vivaldi, useragent.InternetExplorer, "Samsung Browser", "Android browser",
	}
	systems = []string{
		useragent.Windows, useragent.WindowsPhone, useragent.MacOS, useragent.IOS, useragent.Android, useragent.Linux, useragent.ChromeOS,
	}
)
