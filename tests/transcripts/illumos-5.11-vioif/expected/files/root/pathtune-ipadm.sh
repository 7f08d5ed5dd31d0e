# Written by pathtune VERSION, TIME.
# Computed, not measured, for 600 Mbit/s with RTT 209 ms.
# When this host sends: send_buf (128000) bounds the window at 125 KiB; the path holds 14.9 MiB.
# The advised settings admit 14.9 MiB.
# When this host receives: recv_buf (128000) bounds the window at 125 KiB; the path holds 14.9
# MiB. The advised settings admit 14.9 MiB.

# limit: no buffer may be larger; the largest maximum is 14.9 MiB
# before: 1048576
ipadm set-prop -p max_buf=15728640 tcp

# window-send: lets one connection keep 14.9 MiB in flight when sending; 125 KiB before
# before: 128000
ipadm set-prop -p send_buf=15675392 tcp

# window-receive: lets one connection keep 14.9 MiB in flight when receiving; 125 KiB before
# before: 128000
ipadm set-prop -p recv_buf=15675392 tcp
