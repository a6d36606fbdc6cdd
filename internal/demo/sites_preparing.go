package demo

import (
	"keyturn/internal/locale"
	"keyturn/internal/policy"
)

// northside was connected before the rollout began, and has a date within 12 days.
func northside() workshop {
	return workshop{
		ref: "ws-1002", name: "Northside Tyres", region: "AU", zone: "Australia/Sydney", sms: 60,
		since: daysAgo(260), by: "Chris Papas", organisation: "Northside Tyres", rollout: preparing,
		usual: locale.DemoNoteNudge,
		members: []member{
			{login: "chris@northsidetyres.example", first: "Chris", last: "Papas", mobile: "+61491572549", group: policy.GroupAdmin, proved: true, note: locale.DemoNoteLoneAdmin},
			{login: "front@northsidetyres.example", first: "Priya", last: "Nair", mobile: "+61491572665", group: policy.GroupSales, shared: true, note: locale.DemoNoteShared},
			{login: "tom@northsidetyres.example", first: "Tom", last: "Wirrah", group: policy.GroupMechanic},
			{login: "helen@northsidetyres.example", first: "Helen", last: "Sorensen", mobile: "+61491572983", group: policy.GroupOwner, proved: true, note: locale.DemoNoteReady},
			{login: "user1207@myworkshop.invalid", first: "Wade", last: "Pickering", group: policy.GroupMechanic, unmailable: true, note: locale.DemoNoteNoAddress},
			bookkeeper(policy.GroupInvoicePayment),
		},
	}
}

// kauri prepares in New Zealand.
func kauri() workshop {
	return workshop{
		ref: "ws-1010", name: "Kauri Auto Electrical", region: "NZ", zone: "Pacific/Auckland",
		since: daysAgo(95), by: "Aroha Ngata", organisation: "Kauri Auto Electrical Ltd", rollout: later,
		usual: locale.DemoNoteNudge,
		members: []member{
			{login: "aroha@kauriauto.example", first: "Aroha", last: "Ngata", mobile: "+64215550142", group: policy.GroupAdmin, proved: true, note: locale.DemoNoteReady},
			{login: "wiremu@kauriauto.example", first: "Wiremu", last: "Paki", mobile: "+64215550187", group: policy.GroupAdmin, proved: true, note: locale.DemoNoteReady},
			{login: "isla@kauriauto.example", first: "Isla", last: "McKenzie", mobile: "+64215550119", group: policy.GroupInvoicePayment},
			{login: "finn@kauriauto.example", first: "Finn", last: "Tauroa", mobile: "+64215550133", group: policy.GroupMechanic, kind: policy.Mobile, note: locale.DemoNoteMobile},
		},
	}
}

// thistle is known to the rollout and has no date yet.
func thistle() workshop {
	return workshop{
		ref: "ws-1011", name: "Thistle Motors", region: "GB", zone: "Europe/London",
		since: daysAgo(120), by: "Fiona Baird", organisation: "Thistle Motors Ltd", rollout: undated,
		usual: locale.DemoNotePassword,
		members: []member{
			{login: "fiona@thistlemotors.example", first: "Fiona", last: "Baird", mobile: "+447400100461", group: policy.GroupAdmin},
			{login: "euan@thistlemotors.example", first: "Euan", last: "Rennie", mobile: "+447400100785", group: policy.GroupMechanic},
		},
	}
}

// kingfisher is connected already, and the connection becomes live tonight.
func kingfisher() workshop {
	return workshop{
		ref: "ws-1013", name: "Kingfisher 4WD", region: "AU", zone: "Australia/Darwin",
		since: tonight, by: "Toni Marsh", organisation: "Kingfisher 4WD",
		usual: locale.DemoNoteTonight,
		members: []member{
			{login: "toni@kingfisher4wd.example", first: "Toni", last: "Marsh", mobile: "+61491574632", group: policy.GroupAdmin},
			{login: "beau@kingfisher4wd.example", first: "Beau", last: "Larkin", group: policy.GroupMechanic},
		},
	}
}
