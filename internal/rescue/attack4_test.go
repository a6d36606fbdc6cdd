package rescue_test

import (
	"context"
	"testing"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/policy"
	"keyturn/internal/rescue"
	"keyturn/internal/secret"
)

// B2: the first of two words counts after its speaker was ended as staff.
func TestAttackARecoveryBegunByWhoIsStaffNoMoreIsConfirmed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		which, refused, err := w.desk.Begin(t.Context(), w.onDuty(t, w.sam), rescue.Recover{User: w.kim.ID, Site: w.site.ID, Reason: "a good story"})
		if err != nil || refused != "" {
			t.Fatalf("%q %v", refused, err)
		}
		toni := w.onDuty(t, w.toni)
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return w.desk.EndStaff(ctx, tx, toni, w.sam.ID) })
		refused, err = w.desk.Confirm(t.Context(), w.onDuty(t, w.uma), w.kim.ID, which)
		if err != nil {
			t.Fatal(err)
		}
		if refused == "" {
			given, refused, err := w.desk.ReadCode(t.Context(), w.onDuty(t, w.uma), w.kim.ID, which)
			t.Errorf("Uma alone confirmed Sam's recovery and read a code out: %t %q %v", given.Code != "", refused, err)
		}
	})
}

// B3: somebody who waits to become staff joins a site, whose Admin may edit their login, and
// is confirmed all the same.
func TestAttackStaffIsConfirmedWhoIsASitesUser(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		added, err := w.desk.AddStaff(t.Context(), command, rescue.NewStaff{Email: "vic@workshopsoftware.example", FirstName: "Vic"})
		if err != nil {
			t.Fatal(err)
		}
		out, err := w.desk.EnrolStaff(t.Context(), rescue.Entry{Email: "vic@workshopsoftware.example", Code: added.Code, Password: secret.NewText(newPassword), Place: home})
		if err != nil || out.Token == "" {
			t.Fatalf("%+v %v", out, err)
		}
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return w.desk.StaffEnrolled(ctx, tx, added.User) })
		vic := w.reread(t, added.User)
		w.join(t, vic, w.site, policy.GroupMechanic) // by an invitation, which package request makes: she is no staff yet
		refused, err := w.desk.ConfirmStaff(t.Context(), w.onDuty(t, w.sam), vic.ID)
		if err == nil && refused == "" {
			t.Errorf("Vic is staff under a login that Bayside's Admins could edit until now")
		}
		_, _ = authority.Bearer{}, audit.StaffAdded
	})
}
