// Two appliances as examples/scale-out has them, for `az deployment group create -g RG -f main.bicep -p imageId=... sshKey=... probed=...`:
// the hub VNet with a route table for each subnet, an internal load balancer for all ports, a Route Server that peers with both, and the
// virtual machines. The route tables are the files of ../scale-out, which the lab `scripts/lab run scale-out` plays and `sekisho` reads, and management.json:
// that subnet would else follow the default that the appliances advertise. lan has no table: its learned routes lead to on-premises, and no zone
// follows a learned default.
//
// Yours: the image (Debian 12 of generation 2 with cloud-init, netplan, FRR and the package), the firewalls at 10.0.10.10 and 10.0.11.10, the gateway, the spoke's peering.

param location string = resourceGroup().location
@description('A managed image or gallery version: Debian 12 of generation 2 with cloud-init, netplan, FRR and the package')
param imageId string
param sshKey string
@description('ADDRESS:PORT that answers TCP on the far side of the firewalls: what the appliances probe through them')
param probed string
@description('Four NICs: management, lan, egress1, egress2')
param size string = 'Standard_D8s_v5'
param asn int = 65010

var appliances = [
  { name: 'nva1', management: '10.0.0.4', lan: '10.0.1.4', egress1: '10.0.2.4', egress2: '10.0.3.4' }
  { name: 'nva2', management: '10.0.0.5', lan: '10.0.1.5', egress1: '10.0.2.5', egress2: '10.0.3.5' }
]
var frontend = '10.0.1.100'
var tables = [
  loadJsonContent('../scale-out/egress1.json')
  loadJsonContent('../scale-out/egress2.json')
  loadJsonContent('../scale-out/gateway.json')
  loadJsonContent('../scale-out/inside1.json')
  loadJsonContent('../scale-out/inside2.json')
  loadJsonContent('../scale-out/outside1.json')
  loadJsonContent('../scale-out/outside2.json')
  loadJsonContent('../scale-out/vm.json')
  loadJsonContent('management.json')
]
// Which table a subnet has; none: '' (Azure allows none in RouteServerSubnet).
var subnets = [
  { name: 'management', prefix: '10.0.0.0/24', table: 'management' }
  { name: 'lan', prefix: '10.0.1.0/24', table: '' }
  { name: 'egress1', prefix: '10.0.2.0/24', table: 'egress1' }
  { name: 'egress2', prefix: '10.0.3.0/24', table: 'egress2' }
  { name: 'RouteServerSubnet', prefix: '10.0.5.0/26', table: '' }
  { name: 'GatewaySubnet', prefix: '10.0.6.0/27', table: 'gateway' }
  { name: 'inside1', prefix: '10.0.10.0/24', table: 'inside1' }
  { name: 'inside2', prefix: '10.0.11.0/24', table: 'inside2' }
  { name: 'outside1', prefix: '10.0.20.0/24', table: 'outside1' }
  { name: 'outside2', prefix: '10.0.21.0/24', table: 'outside2' }
]

resource table 'Microsoft.Network/routeTables@2023-11-01' = [for each in tables: {
  name: each.name
  location: location
  properties: {
    disableBgpRoutePropagation: each.disableBgpRoutePropagation
    routes: [for route in each.routes: {
      name: route.name
      properties: union(
        { addressPrefix: route.addressPrefix, nextHopType: route.nextHopType },
        contains(route, 'nextHopIpAddress') ? { nextHopIpAddress: route.nextHopIpAddress } : {})
    }]
  }
}]

resource hub 'Microsoft.Network/virtualNetworks@2023-11-01' = {
  name: 'hub'
  location: location
  dependsOn: [table]
  properties: {
    addressSpace: { addressPrefixes: ['10.0.0.0/16'] }
    subnets: [for subnet in subnets: {
      name: subnet.name
      properties: union(
        { addressPrefix: subnet.prefix },
        empty(subnet.table) ? {} : { routeTable: { id: resourceId('Microsoft.Network/routeTables', subnet.table) } })
    }]
  }
}

resource spoke 'Microsoft.Network/virtualNetworks@2023-11-01' = {
  name: 'spoke'
  location: location
  dependsOn: [table]
  properties: {
    addressSpace: { addressPrefixes: ['10.1.0.0/16'] }
    subnets: [
      {
        name: 'vm'
        properties: {
          addressPrefix: '10.1.1.0/24'
          routeTable: { id: resourceId('Microsoft.Network/routeTables', 'vm') }
          defaultOutboundAccess: false
        }
      }
    ]
  }
}

resource balancer 'Microsoft.Network/loadBalancers@2023-11-01' = {
  name: 'appliances'
  location: location
  sku: { name: 'Standard' }
  properties: {
    frontendIPConfigurations: [
      {
        name: 'frontend'
        properties: {
          subnet: { id: '${hub.id}/subnets/lan' }
          privateIPAllocationMethod: 'Static'
          privateIPAddress: frontend
        }
      }
    ]
    backendAddressPools: [{ name: 'appliances' }]
    // 200 while the appliance forwards, else 503: sekisho.toml, [health].
    probes: [{ name: 'sekisho', properties: { protocol: 'Http', port: 8080, requestPath: '/', intervalInSeconds: 5, probeThreshold: 2 } }]
    loadBalancingRules: [
      {
        name: 'all-ports'
        properties: {
          protocol: 'All'
          frontendPort: 0
          backendPort: 0
          frontendIPConfiguration: { id: resourceId('Microsoft.Network/loadBalancers/frontendIPConfigurations', 'appliances', 'frontend') }
          backendAddressPool: { id: resourceId('Microsoft.Network/loadBalancers/backendAddressPools', 'appliances', 'appliances') }
          probe: { id: resourceId('Microsoft.Network/loadBalancers/probes', 'appliances', 'sekisho') }
        }
      }
    ]
  }
}

resource routeServerAddress 'Microsoft.Network/publicIPAddresses@2023-11-01' = {
  name: 'route-server'
  location: location
  sku: { name: 'Standard' }
  properties: { publicIPAllocationMethod: 'Static' }
}

resource routeServer 'Microsoft.Network/virtualHubs@2023-11-01' = {
  name: 'route-server'
  location: location
  properties: { sku: 'Standard', allowBranchToBranchTraffic: true }
}

resource routeServerPlace 'Microsoft.Network/virtualHubs/ipConfigurations@2023-11-01' = {
  parent: routeServer
  name: 'default'
  properties: {
    subnet: { id: '${hub.id}/subnets/RouteServerSubnet' }
    publicIPAddress: { id: routeServerAddress.id }
  }
}

// One after another: Route Server takes no two changes at once.
@batchSize(1)
resource peer 'Microsoft.Network/virtualHubs/bgpConnections@2023-11-01' = [for each in appliances: {
  parent: routeServer
  name: each.name
  dependsOn: [routeServerPlace]
  properties: { peerIp: each.lan, peerAsn: asn }
}]

resource management 'Microsoft.Network/networkInterfaces@2023-11-01' = [for each in appliances: {
  name: '${each.name}-management'
  location: location
  properties: {
    ipConfigurations: [
      {
        name: 'ip'
        properties: {
          subnet: { id: '${hub.id}/subnets/management' }
          privateIPAllocationMethod: 'Static'
          privateIPAddress: each.management
        }
      }
    ]
  }
}]

resource lan 'Microsoft.Network/networkInterfaces@2023-11-01' = [for each in appliances: {
  name: '${each.name}-lan'
  location: location
  properties: {
    enableIPForwarding: true
    enableAcceleratedNetworking: true
    ipConfigurations: [
      {
        name: 'ip'
        properties: {
          subnet: { id: '${hub.id}/subnets/lan' }
          privateIPAllocationMethod: 'Static'
          privateIPAddress: each.lan
          loadBalancerBackendAddressPools: [{ id: '${balancer.id}/backendAddressPools/appliances' }]
        }
      }
    ]
  }
}]

resource egress1 'Microsoft.Network/networkInterfaces@2023-11-01' = [for each in appliances: {
  name: '${each.name}-egress1'
  location: location
  properties: {
    enableIPForwarding: true
    enableAcceleratedNetworking: true
    ipConfigurations: [
      {
        name: 'ip'
        properties: {
          subnet: { id: '${hub.id}/subnets/egress1' }
          privateIPAllocationMethod: 'Static'
          privateIPAddress: each.egress1
        }
      }
    ]
  }
}]

resource egress2 'Microsoft.Network/networkInterfaces@2023-11-01' = [for each in appliances: {
  name: '${each.name}-egress2'
  location: location
  properties: {
    enableIPForwarding: true
    enableAcceleratedNetworking: true
    ipConfigurations: [
      {
        name: 'ip'
        properties: {
          subnet: { id: '${hub.id}/subnets/egress2' }
          privateIPAllocationMethod: 'Static'
          privateIPAddress: each.egress2
        }
      }
    ]
  }
}]

// Both on one rack would fail together. An availability set keeps them apart in every region; not all have zones.
resource apart 'Microsoft.Compute/availabilitySets@2023-09-01' = {
  name: 'appliances'
  location: location
  sku: { name: 'Aligned' }
  properties: { platformFaultDomainCount: 2, platformUpdateDomainCount: 2 }
}

resource machine 'Microsoft.Compute/virtualMachines@2023-09-01' = [for (each, i) in appliances: {
  name: each.name
  location: location
  properties: {
    availabilitySet: { id: apart.id }
    hardwareProfile: { vmSize: size }
    storageProfile: {
      imageReference: { id: imageId }
      osDisk: { createOption: 'FromImage', managedDisk: { storageAccountType: 'Premium_LRS' } }
    }
    networkProfile: {
      networkInterfaces: [
        { id: management[i].id, properties: { primary: true } }
        { id: lan[i].id, properties: { primary: false } }
        { id: egress1[i].id, properties: { primary: false } }
        { id: egress2[i].id, properties: { primary: false } }
      ]
    }
    osProfile: {
      computerName: each.name
      adminUsername: 'sekishoadmin' // not operator: Debian has a group of that name, and no user could be made
      linuxConfiguration: {
        disablePasswordAuthentication: true
        ssh: { publicKeys: [{ path: '/home/sekishoadmin/.ssh/authorized_keys', keyData: sshKey }] }
      }
      // YAML is a superset of JSON.
      customData: base64(concat('#cloud-config\n', string({
        write_files: [
          {
            path: '/etc/sekisho/sekisho.toml'
            content: replace(replace(loadTextContent('sekisho.toml'), '@LAN@', each.lan), '@PROBED@', probed)
          }
          { path: '/etc/sekisho/egress1.json', content: loadTextContent('../scale-out/egress1.json') }
          { path: '/etc/sekisho/egress2.json', content: loadTextContent('../scale-out/egress2.json') }
          // To Route Server from the address that it peers with: the default leads out of the management NIC.
          {
            path: '/etc/netplan/60-route-server.yaml'
            permissions: '0600'
            content: string({ network: { version: 2, ethernets: { eth1: { routes: [{ to: '10.0.5.0/26', via: '10.0.1.1' }] } } } })
          }
        ]
        runcmd: [
          'netplan apply'
          'sed -i s/^bgpd=no/bgpd=yes/ /etc/frr/daemons'
          'sekisho bgp apply'
          'systemctl restart frr'
          'systemctl enable --now sekisho-control'
        ]
      })))
    }
  }
}]
