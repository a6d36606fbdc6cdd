package locale

import (
	"time"
)

// Moment says when something is or was, as a person in the zone would say it at now:
// "7:12 am" today, "tomorrow 4:00 am", "yesterday 4:00 am", else "Mon 7 Dec, 9:00 am",
// with the year where it is not this one. Days are calendar days of the zone.
func Moment(t time.Time, zone *time.Location, now time.Time) string {
	at := Clock(t, zone)
	switch daysBetween(now, t, zone) {
	case 0:
		return at
	case 1:
		return Say(WhenTomorrow, Data{"At": at})
	case -1:
		return Say(WhenYesterday, Data{"At": at})
	}
	return Exact(t, zone, now)
}

// Exact says a moment with its weekday and date, also when it is today: "Thu 3 Dec,
// 4:00 am". The year is added where it is not that of now.
func Exact(t time.Time, zone *time.Location, now time.Time) string {
	layout := WhenExact
	if t.In(zone).Year() != now.In(zone).Year() {
		layout = WhenExactYear
	}
	return t.In(zone).Format(Say(layout))
}

// Clock says the time of day: "7:12 am".
func Clock(t time.Time, zone *time.Location) string {
	return t.In(zone).Format(Say(WhenClock))
}

// ClockSeconds says the time of day with seconds: "7:02:04 am".
func ClockSeconds(t time.Time, zone *time.Location) string {
	return t.In(zone).Format(Say(WhenClockSeconds))
}

// Day says a date without a time: "12 March 2026".
func Day(t time.Time, zone *time.Location) string {
	return t.In(zone).Format(Say(WhenDay))
}

// Away says how far off a moment is: "in 14 days", "4 minutes ago". From two
// calendar days of the zone on, it counts days; below that as Span does.
func Away(t time.Time, zone *time.Location, now time.Time) string {
	days := daysBetween(now, t, zone)
	switch {
	case days >= 2:
		return Say(WhenIn, Data{"Span": Say(SpanDays, Data{"Count": days})})
	case days <= -2:
		return Say(WhenAgo, Data{"Span": Say(SpanDays, Data{"Count": -days})})
	case t.After(now):
		return Say(WhenIn, Data{"Span": Span(t.Sub(now))})
	}
	return Say(WhenAgo, Data{"Span": Span(now.Sub(t))})
}

// Span says a duration in one unit, rounded up, so that nobody comes back too early:
// "30 seconds", "6 minutes", "2 hours", "14 days". Nothing and less is "1 second".
func Span(d time.Duration) string {
	switch {
	case d <= 90*time.Second:
		return Say(SpanSeconds, Data{"Count": max(1, up(d, time.Second))})
	case d <= 90*time.Minute:
		return Say(SpanMinutes, Data{"Count": up(d, time.Minute)})
	case d <= 36*time.Hour:
		return Say(SpanHours, Data{"Count": up(d, time.Hour)})
	}
	return Say(SpanDays, Data{"Count": up(d, 24*time.Hour)})
}

// up counts the units in d, a begun one as a whole one.
func up(d, unit time.Duration) int {
	return int((d + unit - 1) / unit)
}

// DaysBetween counts the calendar days of the zone from one moment to another.
func DaysBetween(from, to time.Time, zone *time.Location) int { return daysBetween(from, to, zone) }

// daysBetween counts the calendar days of the zone from one moment to another.
func daysBetween(from, to time.Time, zone *time.Location) int {
	return day(to, zone) - day(from, zone)
}

// day numbers the calendar day of a moment. The date is taken in the zone and
// counted in UTC, where every day has 24 hours.
func day(t time.Time, zone *time.Location) int {
	y, m, d := t.In(zone).Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}
