package site_test

import (
	"slices"
	"testing"

	"keyturn/internal/policy"
	"keyturn/internal/site"
)

func TestEachGroupMayWhatTheTableSays(t *testing.T) {
	t.Parallel()
	everybody := []site.Permission{"customers", "vehicles", "search"}
	owner := []site.Permission{
		"job_cards", "bookings", "quotes", "invoices", "invoices.read", "payments", "labour", "products", "purchase_orders",
		"supplier_categories", "suppliers.order", "suppliers.setup", "sales.dashboard", "business_intelligence", "event_log",
		"sms.use", "company.settings", "company.lists",
	}
	less := func(all []site.Permission, gone ...site.Permission) []site.Permission {
		return slices.DeleteFunc(slices.Clone(all), func(p site.Permission) bool { return slices.Contains(gone, p) })
	}
	manager := less(owner, "company.settings", "company.lists", "suppliers.setup")
	for group, may := range map[policy.Group][]site.Permission{
		policy.GroupAdmin:          append(slices.Clone(owner), "users.manage", "integrations.manage", "subscription"),
		policy.GroupOwner:          owner,
		policy.GroupManager:        manager,
		policy.GroupUser:           less(manager, "event_log", "sms.use"),
		policy.GroupInvoicePayment: {"payments", "invoices", "labour"},
		policy.GroupPayOnly:        {"payments", "invoices", "labour"},
		policy.GroupInvoiceOnly:    {"invoices", "labour"},
		policy.GroupMechanic:       {"job_cards", "payments", "invoices", "labour", "products", "purchase_orders", "supplier_categories"},
		policy.GroupSales:          {"job_cards", "bookings", "quotes", "invoices.read", "sales.dashboard"},
		"a group nobody knows":     nil,
	} {
		t.Run(string(group), func(t *testing.T) {
			t.Parallel()
			want := slices.Sorted(slices.Values(slices.Concat(everybody, may)))
			if got := slices.Sorted(slices.Values(site.Membership{Group: group}.Permissions())); !slices.Equal(got, want) {
				t.Errorf("may %q, not %q", got, want)
			}
		})
	}
}

func TestATogglePermitsOneThingMore(t *testing.T) {
	t.Parallel()
	plain := site.Membership{Group: policy.GroupMechanic}
	if plain.May("sales.dashboard") || plain.May("business_intelligence") {
		t.Error("without them")
	}
	both := site.Membership{Group: policy.GroupMechanic, SalesDashboard: true, BusinessIntelligence: true}
	if !both.May("sales.dashboard") || !both.May("business_intelligence") || len(both.Permissions()) != len(plain.Permissions())+2 {
		t.Errorf("with both: %q", both.Permissions())
	}
}
