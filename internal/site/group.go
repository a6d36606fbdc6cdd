package site

import (
	"slices"

	"keyturn/internal/policy"
)

// Permission is a key that travels in claims: what a member may do in the host product.
type Permission string

// all are the permissions of an Admin, in the order in which pages show them. The last
// three are the Admin's alone.
var all = []Permission{
	"customers", "vehicles", "search", "job_cards", "bookings", "quotes", "invoices", "invoices.read", "payments", "labour",
	"products", "purchase_orders", "supplier_categories", "suppliers.order", "suppliers.setup",
	"sales.dashboard", "business_intelligence", "event_log", "sms.use", "company.settings", "company.lists",
	"users.manage", "integrations.manage", "subscription",
}

// everybody is what each group may do.
var everybody = []Permission{"customers", "vehicles", "search"}

// few are the groups that are said by what they have; the groups above them are said by
// what they lack.
var few = map[policy.Group][]Permission{
	policy.GroupInvoicePayment: {"payments", "invoices", "labour"},
	policy.GroupPayOnly:        {"payments", "invoices", "labour"},
	policy.GroupInvoiceOnly:    {"invoices", "labour"},
	policy.GroupMechanic:       {"job_cards", "payments", "invoices", "labour", "products", "purchase_orders", "supplier_categories"},
	policy.GroupSales:          {"job_cards", "bookings", "quotes", "invoices.read", "sales.dashboard"},
}

// lacking says, from Owner down, what each group has less than the one above it.
var lacking = []struct {
	group policy.Group
	less  []Permission
}{
	{policy.GroupOwner, []Permission{"users.manage", "integrations.manage", "subscription"}},
	{policy.GroupManager, []Permission{"company.settings", "company.lists", "suppliers.setup"}},
	{policy.GroupUser, []Permission{"event_log", "sms.use"}},
}

// Groups lists every group, the highest first.
func Groups() []policy.Group {
	return []policy.Group{
		policy.GroupAdmin, policy.GroupOwner, policy.GroupManager, policy.GroupUser,
		policy.GroupInvoicePayment, policy.GroupPayOnly, policy.GroupInvoiceOnly, policy.GroupMechanic, policy.GroupSales,
	}
}

// Of lists what a group may do, without the toggles of its members.
func Of(g policy.Group) []Permission { return inOrder(groupMay(g)) }

// All lists every permission, in the order in which pages show them.
func All() []Permission { return slices.Clone(all) }

// Permissions are what the member may do: those of the group, and the toggles. The two
// toggles are per member in every group: switching one on gives the permission, and
// only Sales and the groups that have it by themselves have it without.
func (m Membership) Permissions() []Permission {
	may := groupMay(m.Group)
	if m.SalesDashboard {
		may = append(may, "sales.dashboard")
	}
	if m.BusinessIntelligence {
		may = append(may, "business_intelligence")
	}
	return inOrder(may)
}

// May says whether the member has a permission.
func (m Membership) May(p Permission) bool { return slices.Contains(m.Permissions(), p) }

func groupMay(g policy.Group) []Permission {
	if has, ok := few[g]; ok {
		return slices.Concat(everybody, has)
	}
	may := slices.Clone(all)
	if g == policy.GroupAdmin {
		return may
	}
	for _, step := range lacking {
		may = slices.DeleteFunc(may, func(p Permission) bool { return slices.Contains(step.less, p) })
		if g == step.group {
			return may
		}
	}
	return slices.Clone(everybody) // a group that nobody knows may do what everybody may
}

// inOrder sorts as the pages show them, each once.
func inOrder(may []Permission) []Permission {
	return slices.DeleteFunc(slices.Clone(all), func(p Permission) bool { return !slices.Contains(may, p) })
}
