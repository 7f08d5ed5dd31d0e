#!/bin/sh
# report_page.sh PROGRAM: the page of a run as Chromium lays it out in the width of a telephone and
# of a desk: nothing is wider than the page, and no words of a figure cover each other or are cut off.
#
# The run is advice on a recorded machine, with a plan for its NIC, and 60 trials put into it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

fail()
{
	echo "FAILED: $*" >&2
	exit 1
}

# trials GAIN: 15 pairs each way, between the windows that the advice goes from and to; the candidate
# is GAIN times as fast.
trials()
{
	awk -v gain="$1" '
		function trial(direction, window, pair, bps) {
			printf "%s{\"setting\": {\"cc\": \"cubic\", \"window_bytes\": %d, \"extras\": []}, " \
			    "\"direction\": \"%s\", \"phase\": \"confirm\", \"block\": %d, \"status\": \"ok\", " \
			    "\"goodput_bps\": %d, \"retransmits\": 0.0123, \"rtt\": {\"idle_ms\": 209, " \
			    "\"loaded_ms\": %d}, \"steady\": true, \"streams\": 1, \"intervals_bps\": [",
			    count++ ? "," : "", window, direction, pair, bps, 210 + pair
			for (i = 0; i < 80; i++)
				printf "%s%d", i ? "," : "", bps * (.8 + (i * 7 + pair) % 10 / 25)
			printf "]}"
		}
		/"decision": \{/ { decision = 1 }
		decision && /"direction": "/ { way = $2; gsub(/[",]/, "", way); n = 0 }
		way != "" && /"window_bytes": / {
			window[n++] = $2 + 0
			for (pair = 0; n == 2 && pair < 15; pair++) {
				trial(way, window[0], pair, 17e6 + 1e5 * pair)
				trial(way, window[1], pair, (17e6 + 2e5 * pair) * gain)
			}
		}' "$out/advice.json"
}

# run GAIN: the run, its effect and both sides filled in.
run()
{
	trials "$1" >"$out/trials"
	awk -v gain="$1" -v file="$out/trials" '
		/^  "trials": \[\],$/ { getline all <file; print "  \"trials\": [" all "],"; next }
		/"decision": \{/ { decision = 1 }
		decision && /"cc": null/ { sub(/null/, "\"cubic\"") }
		decision && /"estimate": null/ { sub(/null/, 100 * (gain - 1)) }
		decision && /"low": null/ { sub(/null/, 90 * (gain - 1)) }
		decision && /"high": null/ { sub(/null/, 110 * (gain - 1)) }
		decision && /"goodput_bps": null/ { sub(/null/, 17e6 * (sides++ % 2 ? gain : 1)) }
		decision && /"evidence": null/ { sub(/null/, "\"the send buffer held the sender back\"") }
		decision && /"reason": "/ { sub(/"reason": "/, "&" long) }
		{ print }
		BEGIN { for (i = 0; i < 12; i++) long = long "a_word_without_an_end." }' "$out/advice.json"
}

# frame WIDTH GAIN PAGE: the page in a frame of that width.
frame()
{
	printf '<iframe width="%s" height="900" title="gain %s" srcdoc="' "$1" "$2"
	sed 's/&/\&amp;/g; s/"/\&quot;/g' "$3"
	printf '"></iframe>\n'
}

cat >"$out/look.html" <<'END'
<pre></pre><script>
const said = [];
function wide(page, width) {
	if (page.documentElement.scrollWidth > width)
		said.push(`${width}: the page is ${page.documentElement.scrollWidth} wide`);
	for (const e of page.querySelectorAll(".wide, pre, .plan, table, svg, p, li")) {
		if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0)
			said.push(`${width}: ${e.tagName} ${e.className} is cut off: ${e.textContent.slice(0, 60)}`);
	}
}
function words(page, width) {
	let n = 0;
	for (const svg of page.querySelectorAll("svg")) {
		const frame = svg.getBoundingClientRect();
		const all = [...svg.querySelectorAll("text")].map(e => [e.textContent, e.getBoundingClientRect()]);
		n += all.length;
		all.forEach(([name, a], i) => {
			if (a.left < frame.left - 1 || a.right > frame.right + 1 || a.top < frame.top - 3 || a.bottom > frame.bottom + 3)
				said.push(`${width}: "${name}" is cut off`);
			for (const [other, b] of all.slice(i + 1)) {
				const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
				const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
				if (across > 0 && down > .3 * a.height)
					said.push(`${width}: "${name}" covers "${other}"`);
			}
		});
	}
	return n;
}
onload = () => {
	for (const f of document.querySelectorAll("iframe")) {
		const page = f.contentDocument, width = `${f.title}, ${f.clientWidth} px`;
		wide(page, page.documentElement.clientWidth);
		const n = words(page, width), figures = page.querySelectorAll("svg").length;
		said.push(`looked at ${figures} figures with ${n} words: ${width}`);
	}
	document.body.innerHTML = "";
	document.body.textContent = said.map(s => "\nSAID: " + s).join("") + "\n";
};
</script>
END
"$1" advise "replay:$here/transcripts/netbsd-10.1-vioif" --rtt 209ms --rate 600M --nic e1000 --json \
    -q >"$out/advice.json"
echo '<!DOCTYPE html><body>' >"$out/frames.html"
for gain in 1.008 1.35 16.3; do
	run "$gain" >"$out/run.json"
	"$1" show "$out/run.json" --html "$out/page.html"
	[ "$(wc -c <"$out/page.html")" -lt 300000 ] || fail "a page of 60 trials is 300 KB or larger"
	grep -q 'Plan: e1000 instead of virtio' "$out/page.html" || fail "the page has no plan"
	frame 390 "$gain" "$out/page.html" >>"$out/frames.html"
	frame 1280 "$gain" "$out/page.html" >>"$out/frames.html"
done
cat "$out/look.html" >>"$out/frames.html"
HOME=$out timeout 120 chromium --headless --no-sandbox --disable-gpu --hide-scrollbars \
    --user-data-dir="$out/chromium" --dump-dom "file://$out/frames.html" 2>"$out/why" |
    sed -n 's/^SAID: //p' >"$out/said"
[ "$(grep -c '^looked at 8 figures' "$out/said")" -eq 6 ] ||
    { cat "$out/said"; tail -n 5 "$out/why" >&2; fail "the browser did not see all figures of 6 pages"; }
! grep -v '^looked at' "$out/said" || fail "pages do not look right"
cat "$out/said"
