package config

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"keyturn/internal/secret"
)

const (
	year = 365 * 24 * time.Hour
	// mostValue bounds a value, in bytes, and mostItems a list.
	mostValue = 8 << 10
	mostItems = 256
)

// into makes a reader of values that fills one field.
func into[T any](field func(*Config) *T, read func(string) (T, error)) func(*Config, string) error {
	return func(c *Config, text string) error {
		v, err := read(text)
		if err != nil {
			return err
		}
		*field(c) = v
		return nil
	}
}

// printable checks what holds for every value.
func printable(text string) error {
	switch {
	case len(text) > mostValue:
		return errors.New("is longer than 8 KiB")
	case !utf8.ValidString(text):
		return errors.New("is not UTF-8")
	case strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
		return errors.New("holds a line break or another character that cannot be seen")
	case strings.TrimSpace(text) != text:
		return errors.New("begins or ends with a space")
	}
	return nil
}

// items splits a comma-separated list and refuses empty and repeated ones.
func items(text string) ([]string, error) {
	list := strings.Split(text, ",")
	if len(list) > mostItems {
		return nil, errors.New("has more than 256 parts")
	}
	for i, one := range list {
		list[i] = strings.TrimSpace(one)
		if list[i] == "" {
			return nil, errors.New("has an empty part between commas")
		}
		if slices.Contains(list[:i], list[i]) {
			return nil, errors.New("has one part twice")
		}
	}
	return list, nil
}

func keysFile(text string) (string, error) {
	if strings.HasSuffix(text, "/") || strings.Contains(text, "://") {
		return "", errors.New("must be the path of a file")
	}
	return text, nil
}

// folder is the path of a folder; whether it is there is found at the start.
func folder(text string) (string, error) {
	if strings.Contains(text, "://") {
		return "", errors.New("must be the path of a folder")
	}
	return text, nil
}

func mailFrom(text string) (string, error) {
	at, err := mail.ParseAddress(text)
	if err != nil || at.Address != text {
		return "", errors.New("must be one email address alone, without a name")
	}
	local, domain, _ := strings.Cut(text, "@")
	if len(local) > 64 || len(text) > 254 || !isASCII(text) {
		return "", errors.New("must be an email address of ASCII characters, 64 at most before the @")
	}
	if !isDomain(strings.ToLower(domain)) || !strings.Contains(domain, ".") {
		return "", errors.New("must have a domain name after the @")
	}
	return text, nil
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII })
}

func domains(text string) ([]string, error) {
	list, err := items(strings.ToLower(text))
	if err != nil {
		return nil, err
	}
	for _, one := range list {
		if !isDomain(one) {
			return nil, errors.New("must be exact domain names, comma-separated, without * and without a dot at either end")
		}
	}
	return list, nil
}

// isDomain says whether a text is a domain name in lower case (RFC 1123, section 2.1),
// of any number of labels. An IPv4 address is none.
func isDomain(text string) bool {
	labels := strings.Split(text, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' ||
			strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return len(text) <= 253 && strings.Trim(labels[len(labels)-1], "0123456789") != ""
}

func countries(text string) ([]string, error) {
	list, err := items(text)
	if err != nil {
		return nil, err
	}
	for _, one := range list {
		if len(one) != 2 || strings.Trim(one, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			return nil, errors.New("must be country codes of two capitals, comma-separated")
		}
	}
	return list, nil
}

// credential is what another service hands out: one word.
func credential(text string) (string, error) {
	if strings.ContainsFunc(text, unicode.IsSpace) || !isASCII(text) || len(text) > 512 {
		return "", errors.New("must be one word, as Xero shows it")
	}
	return text, nil
}

// words are shown to people.
func words(most int) func(string) (string, error) {
	return func(text string) (string, error) {
		if utf8.RuneCountInString(text) > most {
			return "", fmt.Errorf("must be %d characters at most", most)
		}
		if strings.ContainsAny(text, "<>") {
			return "", errors.New("must be plain words, without < and >")
		}
		return text, nil
	}
}

func oneOf(choices ...string) func(string) (string, error) {
	return func(text string) (string, error) {
		if !slices.Contains(choices, text) {
			return "", errors.New("must be " + strings.Join(choices, " or "))
		}
		return text, nil
	}
}

func level(text string) (slog.Level, error) {
	switch text {
	case "debug":
		return slog.LevelDebug, nil
	case "info":
		return slog.LevelInfo, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return 0, errors.New("must be debug, info, warn or error")
}

func number(least, most int) func(string) (int, error) {
	return func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || strconv.Itoa(n) != text || n < least || n > most {
			return 0, fmt.Errorf("must be a whole number from %d to %d", least, most)
		}
		return n, nil
	}
}

func between(least, most time.Duration) func(string) (time.Duration, error) {
	return func(text string) (time.Duration, error) {
		d, err := time.ParseDuration(text)
		if err != nil || d < least || d > most {
			return 0, fmt.Errorf("must be a duration with its unit, from %v to %v", least, most)
		}
		return d, nil
	}
}

// accent reads a colour that can be read on white, and under white: 4.5 to 1 (WCAG 2.2,
// 1.4.3). It must be so on a wash of itself, too: 9 parts of it in 100 of white.
func accent(text string) (string, error) {
	rgb, err := strconv.ParseUint(strings.TrimPrefix(text, "#"), 16, 32)
	if err != nil || len(text) != 7 || text[0] != '#' {
		return "", errors.New("must be a colour of the form #rrggbb")
	}
	var ink, wash [3]float64
	for i := range ink {
		ink[i] = float64(rgb>>(16-8*i)&0xff) / 255
		wash[i] = 0.91 + 0.09*ink[i]
	}
	if (luminance(wash)+0.05)/(luminance(ink)+0.05) < 4.5 {
		return "", errors.New("is too pale to be read on white, where 4.5 to 1 is needed; take a darker colour")
	}
	return text, nil
}

// luminance is relative luminance as WCAG 2.2 defines it.
func luminance(c [3]float64) float64 {
	for i, f := range c {
		if f <= 0.04045 {
			c[i] = f / 12.92
		} else {
			c[i] = math.Pow((f+0.055)/1.055, 2.4)
		}
	}
	return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2]
}

// hookSecret is long enough that nobody guesses it (Standard Webhooks: 24 bytes or more).
func hookSecret(text string) (secret.Text, error) {
	const least = 24
	if len(text) < least || strings.ContainsAny(text, " \t") {
		return secret.Text{}, errors.New("must be 24 characters or more, without spaces")
	}
	return secret.NewText(text), nil
}
