package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/secret"
)

const (
	// rememberMost is the longest that any site may let a device be remembered.
	rememberMost = 30 * 24 * time.Hour
	// tokensMost is how many tokens of one browser are looked at: as many as its cookie
	// holds.
	tokensMost = 5
)

// Device is a browser in which a user passed the second factor and need not again until
// EndsAt, at the sites it was granted at. It replaces the second factor and nothing
// else. It dies with the methods it stood for: their change raises the user's epoch.
type Device struct {
	ID   id.Device
	User id.User
	// Sites are those at which it was granted, each with the number of the membership
	// then. Of a stored device only those are here whose membership has kept its number.
	Sites map[id.Site]int64
	// UserEpoch is the user's number under which it was granted.
	UserEpoch int64
	Place     Place
	// Since is when the second factor was passed; LastUsedAt when it was last spared,
	// zero if never.
	Since, LastUsedAt time.Time
	// EndsAt is when it ends whatever happens; EndedAt when it was forgotten.
	EndsAt, EndedAt time.Time
}

// DeviceUnder fills in the present numbers of the device's user and of the membership
// in each of its sites. As with Under, they are read before the facts by which the
// device is granted.
func DeviceUnder(ctx context.Context, from db.Reader, d Device) (Device, error) {
	var err error
	if d.UserEpoch, err = epoch.Now(ctx, from, epoch.User(d.User)); err != nil {
		return d, err
	}
	sites := make(map[id.Site]int64, len(d.Sites))
	for at := range d.Sites {
		if sites[at], err = epoch.Now(ctx, from, epoch.Member(at, d.User)); err != nil {
			return d, err
		}
	}
	d.Sites = sites
	return d, nil
}

// RememberDevice stores a device, which has its numbers from DeviceUnder, and gives its
// token, which is in no other place than the answer that sets the cookie. The id is
// filled in, and Since if it is empty. A device without a site or an end ahead is
// fault.Invalid; no end is later than 30 days from now.
func RememberDevice(ctx context.Context, tx *db.Tx, d Device) (Device, string, error) {
	if len(d.Sites) == 0 || !tx.Now.Before(d.EndsAt) {
		return d, "", fmt.Errorf("remember a device without a site or an end: %w", fault.Invalid)
	}
	token, hash := secret.Token()
	d.ID = id.New[id.Device]()
	if d.Since.IsZero() {
		d.Since = tx.Now
	}
	if latest := tx.Now.Add(rememberMost); d.EndsAt.After(latest) {
		d.EndsAt = latest
	}
	if err := insertDevice(ctx, tx, d, hash); err != nil {
		return d, "", fmt.Errorf("remember a device: %w", err)
	}
	return d, token, nil
}

// DeviceByTokens finds the device of a user among the tokens of one browser, in which
// several people may be remembered; fault.NotFound if none of them is the user's and
// alive. Of several the one of the latest second factor is given.
func DeviceByTokens(ctx context.Context, from db.Reader, who id.User, tokens []string, now time.Time) (Device, error) {
	var found Device
	for _, token := range tokens[:min(len(tokens), tokensMost)] {
		d, err := deviceByHash(ctx, from, who, secret.TokenHash(token))
		if err == nil {
			d, err = alive(ctx, from, d, now)
		}
		switch {
		case errors.Is(err, fault.NotFound):
		case err != nil:
			return Device{}, fmt.Errorf("find a remembered device: %w", err)
		case found.ID == "" || d.Since.After(found.Since):
			found = d
		}
	}
	if found.ID == "" {
		return Device{}, fault.NotFound
	}
	return found, nil
}

// DeviceByID finds a device of a user that is alive; fault.NotFound if there is none.
func DeviceByID(ctx context.Context, from db.Reader, who id.User, which id.Device, now time.Time) (Device, error) {
	d, err := deviceByID(ctx, from, who, which)
	if err != nil {
		return Device{}, err
	}
	return alive(ctx, from, d, now)
}

// Devices lists the devices of a user that are alive, the newest first, 100 at most.
func Devices(ctx context.Context, from db.Reader, who id.User, now time.Time) ([]Device, error) {
	stored, err := devices(ctx, from, who, now)
	if err != nil {
		return nil, fmt.Errorf("list remembered devices: %w", err)
	}
	var all []Device
	for _, d := range stored {
		d, err := alive(ctx, from, d, now)
		if errors.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list remembered devices: %w", err)
		}
		all = append(all, d)
	}
	return all, nil
}

// ForgetDevice ends a device; fault.Conflict if it has ended or is not the user's.
func ForgetDevice(ctx context.Context, tx *db.Tx, who id.User, which id.Device) error {
	return forget(ctx, tx, who, which)
}

// UsedDevice notes that a device spared its user the second factor; fault.Conflict if it
// was forgotten meanwhile.
func UsedDevice(ctx context.Context, tx *db.Tx, who id.User, which id.Device) error {
	return used(ctx, tx, who, which)
}

// alive leaves out the sites whose membership has changed since; fault.NotFound if the
// device has ended, the user has changed, or no site is left.
func alive(ctx context.Context, from db.Reader, d Device, now time.Time) (Device, error) {
	if !d.EndedAt.IsZero() || !now.Before(d.EndsAt) {
		return Device{}, fault.NotFound
	}
	present, err := DeviceUnder(ctx, from, d)
	if err != nil {
		return Device{}, err
	}
	for at, then := range d.Sites {
		if present.Sites[at] != then {
			delete(d.Sites, at)
		}
	}
	if present.UserEpoch != d.UserEpoch || len(d.Sites) == 0 {
		return Device{}, fault.NotFound
	}
	return d, nil
}

// Open lists the sessions of a user that have not ended and that no epoch has ended, the
// latest first, 100 at most. One that has only locked is open: its password opens it.
func Open(ctx context.Context, from db.Reader, who id.User, now time.Time) ([]Session, error) {
	stored, err := open(ctx, from, who, now)
	if err != nil {
		return nil, fmt.Errorf("list open sessions: %w", err)
	}
	var all []Session
	for _, s := range stored {
		present, err := Under(ctx, from, s)
		if err != nil {
			return nil, fmt.Errorf("list open sessions: %w", err)
		}
		if present.UserEpoch == s.UserEpoch && present.MemberEpoch == s.MemberEpoch {
			all = append(all, s)
		}
	}
	return all, nil
}
